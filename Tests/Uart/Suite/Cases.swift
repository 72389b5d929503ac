#if PORTLOOP_LINUX
/// Every case, in the order in which they are run.
let allCases: [Case] =
    lineCases + settingCases + breakCases + flowCases + unplugCases + modemCases + discoveryCases + reconnectCases
#endif
