// Caches the page for offline use. The version is a hash of the files: a changed page has a changed worker, which the
// browser installs at the next visit.
const PREFIX = `edgedigits ${registration.scope} `;
const CACHE = `${PREFIX}@VERSION@`;
const FILES = @FILES@;

addEventListener("install", (event) => {
  const requests = FILES.map((file) => new Request(file, {cache: "reload"}));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const outdated = (name) => name.startsWith(PREFIX) && name !== CACHE;
  const cleared = caches.keys().then((names) => Promise.all(names.filter(outdated).map((name) => caches.delete(name))));
  event.waitUntil(cleared.then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const options = {cacheName: CACHE, ignoreSearch: true};
  event.respondWith(caches.match(event.request, options).then((cached) => cached ?? fetch(event.request)));
});
