// Keeps the page for when there is no network. The version is made of what the files hold: another page is another
// worker, which a browser takes over at the next visit.
const PREFIX = `edgedigits ${registration.scope} `;
const CACHE = `${PREFIX}@VERSION@`;
const FILES = @FILES@;

addEventListener("install", (event) => {
  const fresh = FILES.map((file) => new Request(file, {cache: "reload"}));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const outdated = (name) => name.startsWith(PREFIX) && name !== CACHE;
  const cleared = caches.keys().then((names) => Promise.all(names.filter(outdated).map((name) => caches.delete(name))));
  event.waitUntil(cleared.then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const options = {cacheName: CACHE, ignoreSearch: true};
  event.respondWith(caches.match(event.request, options).then((kept) => kept ?? fetch(event.request)));
});
