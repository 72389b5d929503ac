// The serial ports of the machine: their names, their devices, and that others may be there now.
#ifndef CLOOPWIN32_DEVICES_H
#define CLOOPWIN32_DEVICES_H

#include "CLoopWin32Base.h"

// MARK: names

// One line of the registry's list of ports (HARDWARE\\DEVICEMAP\\SERIALCOMM): the driver's name for it and the port's, as texts that end with
// a NUL. ERROR_NO_MORE_ITEMS (259) behind the last, ERROR_FILE_NOT_FOUND (2) where there is no list because there never was a port.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_listed(
    uint32_t place, uint16_t *device, uint32_t device_units, uint16_t *port, uint32_t port_units);

// The key above the list, to be told of its changes, also where there is no list yet. The corresponding function is `RegOpenKeyExW`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_list_open(intptr_t *key);
CLOOPWIN32_CALL uint32_t portloop_win32_comm_list_close(intptr_t key);

// Sets the event once, when something in the key or below it changes from here on. The corresponding function is `RegNotifyChangeKeyValue`.
CLOOPWIN32_CALL uint32_t portloop_win32_comm_list_notify(intptr_t key, intptr_t event);

// MARK: devices

enum {
    portloop_win32_devices_ports = 0,       // of the class Ports: printers' too
    portloop_win32_devices_modems = 1,      // of the class Modem
    portloop_win32_devices_interfaces = 2,  // of whatever class, with GUID_DEVINTERFACE_COMPORT
};

// The devices of a kind that are there. The corresponding functions are `SetupDiGetClassDevsW` and `SetupDiDestroyDeviceInfoList`.
CLOOPWIN32_CALL uint32_t portloop_win32_devices_open(uint32_t kind, intptr_t *devices);
CLOOPWIN32_CALL uint32_t portloop_win32_devices_close(intptr_t devices);

enum {
    portloop_win32_device_port = 0,             // "COM5", from the device's own key
    portloop_win32_device_instance = 1,         // "USB\\VID_0403&PID_6001\\A1"
    portloop_win32_device_hardware = 2,         // the first of its hardware ids
    portloop_win32_device_name = 3,             // what Windows shows to people
    portloop_win32_device_manufacturer = 4,     // by its driver
    portloop_win32_device_product = 5,          // by the device itself
    portloop_win32_device_description = 6,      // by its driver
    portloop_win32_device_service = 7,          // its driver
    portloop_win32_device_location = 8,         // the first of its location paths
    portloop_win32_device_parent = 9,           // the instance of the device that it is a part of, or is plugged into
    portloop_win32_device_parent_location = 10  // and that one's location
};

// One text about the device at a place, ended by a NUL. ERROR_NO_MORE_ITEMS (259) behind the last device, and another code where the device
// has no such text, or one that is longer.
CLOOPWIN32_CALL uint32_t portloop_win32_device_text(intptr_t devices, uint32_t place, uint32_t what, uint16_t *text, uint32_t units);

#endif
