// Whether the runs are the long ones: `PORTLOOP_LONG=1 scripts/test-wine`.
#if PORTLOOP_LONG
let isLong = true
#else
let isLong = false
#endif
