#if defined(_WIN32)

#include "windows-headers.h"

#include <setupapi.h>

#include <cfgmgr32.h>

// MARK: names

static const WCHAR ports_above[] = L"HARDWARE\\DEVICEMAP";
static const WCHAR ports_listed[] = L"HARDWARE\\DEVICEMAP\\SERIALCOMM";

CLOOPWIN32_CALL uint32_t portloop_win32_comm_listed(
    uint32_t place, uint16_t *device, uint32_t device_units, uint16_t *port, uint32_t port_units) {
    HKEY key = NULL;
    LSTATUS code = RegOpenKeyExW(HKEY_LOCAL_MACHINE, ports_listed, 0, KEY_QUERY_VALUE, &key);
    if (code != ERROR_SUCCESS) return (uint32_t)code;
    DWORD type = 0, units = device_units, bytes = (port_units - 1) * (DWORD)sizeof *port;
    code = RegEnumValueW(key, place, (WCHAR *)device, &units, NULL, &type, (BYTE *)port, &bytes);
    RegCloseKey(key);
    if (code != ERROR_SUCCESS) return (uint32_t)code;
    if (type != REG_SZ) return ERROR_INVALID_DATA;
    // The registry keeps a text as it was written, with its end or without.
    port[bytes / sizeof *port] = 0;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_list_open(intptr_t *key) {
    HKEY opened = NULL;
    LSTATUS code = RegOpenKeyExW(HKEY_LOCAL_MACHINE, ports_above, 0, KEY_NOTIFY, &opened);
    if (code != ERROR_SUCCESS) return (uint32_t)code;
    *key = (intptr_t)opened;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_comm_list_close(intptr_t key) { return (uint32_t)RegCloseKey((HKEY)key); }

CLOOPWIN32_CALL uint32_t portloop_win32_comm_list_notify(intptr_t key, intptr_t event) {
    // Whichever thread asks may end.
    DWORD what = REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET | REG_NOTIFY_THREAD_AGNOSTIC;
    return (uint32_t)RegNotifyChangeKeyValue((HKEY)key, TRUE, what, (HANDLE)event, TRUE);
}

// MARK: devices

// GUID_DEVCLASS_PORTS and GUID_DEVCLASS_MODEM of devguid.h, GUID_DEVINTERFACE_COMPORT of ntddser.h.
static const GUID class_ports = {0x4D36E978, 0xE325, 0x11CE, {0xBF, 0xC1, 0x08, 0x00, 0x2B, 0xE1, 0x03, 0x18}};
static const GUID class_modem = {0x4D36E96D, 0xE325, 0x11CE, {0xBF, 0xC1, 0x08, 0x00, 0x2B, 0xE1, 0x03, 0x18}};
static const GUID interface_port = {0x86E0D1E0, 0x8089, 0x11D0, {0x9C, 0xE4, 0x08, 0x00, 0x3E, 0x30, 0x1F, 0x73}};

// DEVPKEY_Device_BusReportedDeviceDesc of devpkey.h.
static const DEVPROPKEY reported_by_bus = {{0x540B947E, 0x8B40, 0x45BC, {0xA8, 0xA2, 0x6A, 0x0B, 0x89, 0x4C, 0xBD, 0xA2}}, 4};

CLOOPWIN32_CALL uint32_t portloop_win32_devices_open(uint32_t kind, intptr_t *devices) {
    static const GUID *const guids[] = {&class_ports, &class_modem, &interface_port};
    if (kind > portloop_win32_devices_interfaces) return ERROR_INVALID_PARAMETER;
    DWORD flags = DIGCF_PRESENT | (kind == portloop_win32_devices_interfaces ? DIGCF_DEVICEINTERFACE : 0);
    HDEVINFO opened = SetupDiGetClassDevsW(guids[kind], NULL, NULL, flags);
    if (opened == INVALID_HANDLE_VALUE) return GetLastError();
    *devices = (intptr_t)opened;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_devices_close(intptr_t devices) {
    return PORTLOOP_CODE(SetupDiDestroyDeviceInfoList((HDEVINFO)devices));
}

// A device in its set, and the caller's room for a text about it.
typedef struct asked {
    HDEVINFO devices;
    SP_DEVINFO_DATA device;
    WCHAR *text;
    uint32_t units;
} asked;

// The bytes that a text may have, so that there is room for an end where it has none.
static DWORD room(const asked *asked) { return (asked->units - 1) * (DWORD)sizeof *asked->text; }

static uint32_t ended(const asked *asked, uint32_t code, DWORD type, DWORD bytes) {
    if (code != 0) return code;
    if (type != REG_SZ && type != REG_MULTI_SZ) return ERROR_INVALID_DATA;
    asked->text[bytes / sizeof *asked->text] = 0;
    return 0;
}

static uint32_t text_of_key(asked *asked, const WCHAR *name) {
    HKEY key = SetupDiOpenDevRegKey(asked->devices, &asked->device, DICS_FLAG_GLOBAL, 0, DIREG_DEV, KEY_QUERY_VALUE);
    if (key == INVALID_HANDLE_VALUE) return GetLastError();
    DWORD type = 0, bytes = room(asked);
    LSTATUS code = RegQueryValueExW(key, name, NULL, &type, (BYTE *)asked->text, &bytes);
    RegCloseKey(key);
    return ended(asked, (uint32_t)code, type, bytes);
}

static uint32_t text_of_registry(asked *asked, DWORD property) {
    DWORD type = 0, bytes = 0;
    uint32_t code = PORTLOOP_CODE(
        SetupDiGetDeviceRegistryPropertyW(asked->devices, &asked->device, property, &type, (BYTE *)asked->text, room(asked), &bytes));
    return ended(asked, code, type, bytes);
}

static uint32_t text_of_bus(asked *asked) {
    DEVPROPTYPE type = 0;
    DWORD bytes = 0;
    uint32_t code = PORTLOOP_CODE(SetupDiGetDevicePropertyW(
        asked->devices, &asked->device, &reported_by_bus, &type, (BYTE *)asked->text, room(asked), &bytes, 0));
    if (code == 0 && type != DEVPROP_TYPE_STRING) return ERROR_INVALID_DATA;
    return ended(asked, code, REG_SZ, bytes);
}

static uint32_t text_of_parent(asked *asked, int is_location) {
    DEVINST parent = 0;
    if (CM_Get_Parent(&parent, asked->device.DevInst, 0) != CR_SUCCESS) return ERROR_NOT_FOUND;
    if (!is_location) return CM_Get_Device_IDW(parent, asked->text, asked->units, 0) == CR_SUCCESS ? 0 : ERROR_NOT_FOUND;
    ULONG type = 0, bytes = room(asked);
    CONFIGRET answer = CM_Get_DevNode_Registry_PropertyW(parent, CM_DRP_LOCATION_PATHS, &type, asked->text, &bytes, 0);
    return ended(asked, answer == CR_SUCCESS ? 0 : ERROR_NOT_FOUND, type, bytes);
}

CLOOPWIN32_CALL uint32_t portloop_win32_device_text(intptr_t devices, uint32_t place, uint32_t what, uint16_t *text, uint32_t units) {
    asked asked = {.devices = (HDEVINFO)devices, .device = {.cbSize = sizeof asked.device}, .text = (WCHAR *)text, .units = units};
    if (!SetupDiEnumDeviceInfo(asked.devices, place, &asked.device)) return GetLastError();
    switch (what) {
    case portloop_win32_device_port: return text_of_key(&asked, L"PortName");
    case portloop_win32_device_instance:
        return PORTLOOP_CODE(SetupDiGetDeviceInstanceIdW(asked.devices, &asked.device, asked.text, units, NULL));
    case portloop_win32_device_hardware: return text_of_registry(&asked, SPDRP_HARDWAREID);
    case portloop_win32_device_name: return text_of_registry(&asked, SPDRP_FRIENDLYNAME);
    case portloop_win32_device_manufacturer: return text_of_registry(&asked, SPDRP_MFG);
    case portloop_win32_device_product: return text_of_bus(&asked);
    case portloop_win32_device_description: return text_of_registry(&asked, SPDRP_DEVICEDESC);
    case portloop_win32_device_service: return text_of_registry(&asked, SPDRP_SERVICE);
    case portloop_win32_device_location: return text_of_registry(&asked, SPDRP_LOCATION_PATHS);
    case portloop_win32_device_parent: return text_of_parent(&asked, 0);
    case portloop_win32_device_parent_location: return text_of_parent(&asked, 1);
    default: return ERROR_INVALID_PARAMETER;
    }
}

#endif
