// Serial ports.
#ifndef CLOOPWIN32_COMM_H
#define CLOOPWIN32_COMM_H

#include "CLoopWin32Base.h"

// The bits of `flags` in portloop_win32_comm_state.
enum {
    portloop_win32_dcb_binary = 1 << 0,
    portloop_win32_dcb_parity = 1 << 1,
    portloop_win32_dcb_out_cts = 1 << 2,
    portloop_win32_dcb_out_dsr = 1 << 3,
    portloop_win32_dcb_dtr_shift = 4,  // two bits: disable, enable, handshake
    portloop_win32_dcb_dsr_sensitive = 1 << 6,
    portloop_win32_dcb_continue_on_xoff = 1 << 7,
    portloop_win32_dcb_out_x = 1 << 8,
    portloop_win32_dcb_in_x = 1 << 9,
    portloop_win32_dcb_error_char = 1 << 10,
    portloop_win32_dcb_null = 1 << 11,
    portloop_win32_dcb_rts_shift = 12,  // two bits: disable, enable, handshake, toggle
    portloop_win32_dcb_abort_on_error = 1 << 14,
};

// The corresponding type is `DCB`.
typedef struct portloop_win32_comm_state {
    uint32_t length;
    uint32_t baud_rate;
    uint32_t flags;
    uint16_t reserved;
    uint16_t xon_limit;
    uint16_t xoff_limit;
    uint8_t byte_size;
    uint8_t parity;     // none, odd, even, mark, space
    uint8_t stop_bits;  // 1, 1.5, 2
    uint8_t xon_char;
    uint8_t xoff_char;
    uint8_t error_char;
    uint8_t eof_char;
    uint8_t event_char;
    uint16_t reserved1;
} portloop_win32_comm_state;

// The corresponding type is `COMMTIMEOUTS`.
typedef struct portloop_win32_comm_timeouts {
    uint32_t read_interval;
    uint32_t read_multiplier;
    uint32_t read_constant;
    uint32_t write_multiplier;
    uint32_t write_constant;
} portloop_win32_comm_timeouts;

// The corresponding type is `COMSTAT`. The bits of `holds`: CTS, DSR, RLSD, XOFF received, XOFF sent, EOF, a character waits.
typedef struct portloop_win32_comm_status {
    uint32_t holds;
    uint32_t in_queue;
    uint32_t out_queue;
} portloop_win32_comm_status;

// What matters of a `COMMPROP`.
typedef struct portloop_win32_comm_properties {
    uint32_t service_mask;
    uint32_t max_tx_queue;
    uint32_t max_rx_queue;
    uint32_t max_baud;
    uint32_t provider_subtype;
    uint32_t provider_capabilities;
    uint32_t settable_parameters;
    uint32_t settable_baud;
    uint16_t settable_data;
    uint16_t settable_stop_parity;
    uint32_t current_tx_queue;
    uint32_t current_rx_queue;
} portloop_win32_comm_properties;

CLOOPWIN32_CALL uint32_t portloop_win32_comm_state_get(intptr_t handle, portloop_win32_comm_state *state);
CLOOPWIN32_CALL uint32_t portloop_win32_comm_state_set(intptr_t handle, const portloop_win32_comm_state *state);

// The state that a line of words stands for ("baud=9600 parity=e data=7 stop=1 rts=hs"); no port is asked. What the words do not name
// keeps its value. The corresponding function is `BuildCommDCBW`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_state_parse(const uint16_t *text, portloop_win32_comm_state *state);

CLOOPWIN32_CALL uint32_t portloop_win32_comm_timeouts_get(intptr_t handle, portloop_win32_comm_timeouts *timeouts);
CLOOPWIN32_CALL uint32_t portloop_win32_comm_timeouts_set(intptr_t handle, const portloop_win32_comm_timeouts *timeouts);

// The events that `portloop_win32_comm_wait` waits for. Setting a mask ends a wait that is pending, with no event.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_mask_get(intptr_t handle, uint32_t *mask);
CLOOPWIN32_CALL uint32_t portloop_win32_comm_mask_set(intptr_t handle, uint32_t mask);

// Overlapped; one at a time. `events` is the kernel's until the packet. The corresponding function is `WaitCommEvent`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_wait(intptr_t handle, uint32_t *events, portloop_win32_overlapped *overlapped);

// SETXOFF 1, SETXON 2, SETRTS 3, CLRRTS 4, SETDTR 5, CLRDTR 6, SETBREAK 8, CLRBREAK 9. The corresponding function is
// `EscapeCommFunction`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_escape(intptr_t handle, uint32_t function);
CLOOPWIN32_CALL uint32_t portloop_win32_comm_set_break(intptr_t handle);
CLOOPWIN32_CALL uint32_t portloop_win32_comm_clear_break(intptr_t handle);

// CTS 0x10, DSR 0x20, RING 0x40, RLSD 0x80. The corresponding function is `GetCommModemStatus`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_modem_status(intptr_t handle, uint32_t *lines);

// The errors since the last call, which it clears, and the queues. The corresponding function is `ClearCommError`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_clear_error(intptr_t handle, uint32_t *errors, portloop_win32_comm_status *status);

// TXABORT 1, RXABORT 2, TXCLEAR 4, RXCLEAR 8. The corresponding function is `PurgeComm`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_purge(intptr_t handle, uint32_t what);

// The sizes of the driver's queues: a wish. The corresponding function is `SetupComm`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_set_queues(intptr_t handle, uint32_t in_bytes, uint32_t out_bytes);

// Ahead of what is queued. The corresponding function is `TransmitCommChar`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_send_urgent(intptr_t handle, uint8_t byte);

CLOOPWIN32_CALL uint32_t portloop_win32_comm_properties_get(intptr_t handle, portloop_win32_comm_properties *properties);

#endif
