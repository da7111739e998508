/* A wall clock that jumps, for LD_PRELOAD: JUMPS holds offsets in seconds, one for each 20 ms, round and round.
   Monotonic clocks are unchanged, as when a user sets the time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);

static long long offset(void) {
    struct timespec now;
    const char *next = getenv("JUMPS");
    long long found[16];
    int count = 0;
    real(CLOCK_MONOTONIC, &now);
    while (next && *next && count < 16) {
        char *end;
        found[count++] = strtoll(next, &end, 10);
        next = *end ? end + 1 : end;
    }
    return count ? found[(now.tv_sec * 50 + now.tv_nsec / 20000000) % count] : 0;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, time);
    if (!code && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += offset();
    return code;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (kept) *kept = now.tv_sec;
    return now.tv_sec;
}
