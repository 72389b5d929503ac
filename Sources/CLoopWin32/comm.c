#if defined(_WIN32)

#include "windows-headers.h"

#define SAME_PLACE(mirror, field, type, native) _Static_assert(offsetof(mirror, field) == offsetof(type, native), #type)
SAME_PLACE(portloop_win32_comm_state, length, DCB, DCBlength);
SAME_PLACE(portloop_win32_comm_state, baud_rate, DCB, BaudRate);
// Of the bit field itself no offset can be asked: it lies between its neighbours.
_Static_assert(offsetof(portloop_win32_comm_state, flags) == offsetof(DCB, BaudRate) + 4, "DCB");
SAME_PLACE(portloop_win32_comm_state, reserved, DCB, wReserved);
SAME_PLACE(portloop_win32_comm_state, xon_limit, DCB, XonLim);
SAME_PLACE(portloop_win32_comm_state, xoff_limit, DCB, XoffLim);
SAME_PLACE(portloop_win32_comm_state, byte_size, DCB, ByteSize);
SAME_PLACE(portloop_win32_comm_state, parity, DCB, Parity);
SAME_PLACE(portloop_win32_comm_state, stop_bits, DCB, StopBits);
SAME_PLACE(portloop_win32_comm_state, xon_char, DCB, XonChar);
SAME_PLACE(portloop_win32_comm_state, xoff_char, DCB, XoffChar);
SAME_PLACE(portloop_win32_comm_state, error_char, DCB, ErrorChar);
SAME_PLACE(portloop_win32_comm_state, eof_char, DCB, EofChar);
SAME_PLACE(portloop_win32_comm_state, event_char, DCB, EvtChar);
SAME_PLACE(portloop_win32_comm_state, reserved1, DCB, wReserved1);
_Static_assert(sizeof(portloop_win32_comm_state) == sizeof(DCB) && sizeof(DCB) == 28, "DCB");

SAME_PLACE(portloop_win32_comm_timeouts, read_interval, COMMTIMEOUTS, ReadIntervalTimeout);
SAME_PLACE(portloop_win32_comm_timeouts, read_multiplier, COMMTIMEOUTS, ReadTotalTimeoutMultiplier);
SAME_PLACE(portloop_win32_comm_timeouts, read_constant, COMMTIMEOUTS, ReadTotalTimeoutConstant);
SAME_PLACE(portloop_win32_comm_timeouts, write_multiplier, COMMTIMEOUTS, WriteTotalTimeoutMultiplier);
SAME_PLACE(portloop_win32_comm_timeouts, write_constant, COMMTIMEOUTS, WriteTotalTimeoutConstant);
_Static_assert(sizeof(portloop_win32_comm_timeouts) == sizeof(COMMTIMEOUTS), "COMMTIMEOUTS");

SAME_PLACE(portloop_win32_comm_status, in_queue, COMSTAT, cbInQue);
SAME_PLACE(portloop_win32_comm_status, out_queue, COMSTAT, cbOutQue);
_Static_assert(sizeof(portloop_win32_comm_status) == sizeof(COMSTAT), "COMSTAT");
#undef SAME_PLACE

CLOOPWIN32_CALL uint32_t portloop_win32_comm_state_get(intptr_t handle, portloop_win32_comm_state *state) {
    state->length = sizeof *state;
    return PORTLOOP_CODE(GetCommState((HANDLE)handle, (DCB *)state));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_state_set(intptr_t handle, const portloop_win32_comm_state *state) {
    return PORTLOOP_CODE(SetCommState((HANDLE)handle, (DCB *)(uintptr_t)state));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_state_parse(const uint16_t *text, portloop_win32_comm_state *state) {
    state->length = sizeof *state;
    return PORTLOOP_CODE(BuildCommDCBW((const WCHAR *)text, (DCB *)state));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_timeouts_get(intptr_t handle, portloop_win32_comm_timeouts *timeouts) {
    return PORTLOOP_CODE(GetCommTimeouts((HANDLE)handle, (COMMTIMEOUTS *)timeouts));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_timeouts_set(intptr_t handle, const portloop_win32_comm_timeouts *timeouts) {
    return PORTLOOP_CODE(SetCommTimeouts((HANDLE)handle, (COMMTIMEOUTS *)(uintptr_t)timeouts));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_mask_get(intptr_t handle, uint32_t *mask) {
    DWORD found = 0;
    if (!GetCommMask((HANDLE)handle, &found)) return GetLastError();
    *mask = found;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_mask_set(intptr_t handle, uint32_t mask) {
    return PORTLOOP_CODE(SetCommMask((HANDLE)handle, mask));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_wait(intptr_t handle, uint32_t *events, portloop_win32_overlapped *overlapped) {
    return PORTLOOP_CODE(WaitCommEvent((HANDLE)handle, (DWORD *)events, portloop_native(overlapped)));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_escape(intptr_t handle, uint32_t function) {
    return PORTLOOP_CODE(EscapeCommFunction((HANDLE)handle, function));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_set_break(intptr_t handle) { return PORTLOOP_CODE(SetCommBreak((HANDLE)handle)); }

CLOOPWIN32_CALL uint32_t portloop_win32_comm_clear_break(intptr_t handle) { return PORTLOOP_CODE(ClearCommBreak((HANDLE)handle)); }

CLOOPWIN32_CALL uint32_t portloop_win32_comm_modem_status(intptr_t handle, uint32_t *lines) {
    DWORD found = 0;
    if (!GetCommModemStatus((HANDLE)handle, &found)) return GetLastError();
    *lines = found;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_clear_error(intptr_t handle, uint32_t *errors, portloop_win32_comm_status *status) {
    DWORD found = 0;
    if (!ClearCommError((HANDLE)handle, &found, (COMSTAT *)status)) return GetLastError();
    *errors = found;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_purge(intptr_t handle, uint32_t what) {
    return PORTLOOP_CODE(PurgeComm((HANDLE)handle, what));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_set_queues(intptr_t handle, uint32_t in_bytes, uint32_t out_bytes) {
    return PORTLOOP_CODE(SetupComm((HANDLE)handle, in_bytes, out_bytes));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_send_urgent(intptr_t handle, uint8_t byte) {
    return PORTLOOP_CODE(TransmitCommChar((HANDLE)handle, (char)byte));
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_properties_get(intptr_t handle, portloop_win32_comm_properties *properties) {
    COMMPROP found = {.wPacketLength = sizeof found};
    if (!GetCommProperties((HANDLE)handle, &found)) return GetLastError();
    *properties = (portloop_win32_comm_properties){
        .service_mask = found.dwServiceMask,
        .max_tx_queue = found.dwMaxTxQueue,
        .max_rx_queue = found.dwMaxRxQueue,
        .max_baud = found.dwMaxBaud,
        .provider_subtype = found.dwProvSubType,
        .provider_capabilities = found.dwProvCapabilities,
        .settable_parameters = found.dwSettableParams,
        .settable_baud = found.dwSettableBaud,
        .settable_data = found.wSettableData,
        .settable_stop_parity = found.wSettableStopParity,
        .current_tx_queue = found.dwCurrentTxQueue,
        .current_rx_queue = found.dwCurrentRxQueue,
    };
    return 0;
}

#endif
