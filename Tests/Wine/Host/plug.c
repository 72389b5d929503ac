// What a driver and Windows' own plug and play do when a serial port comes or goes: cases order it, as they order bytes from the peer.
#define _WIN32_WINNT 0x0603
#include <windows.h>

#include <setupapi.h>
#include <stdint.h>

#define CWINEHOST_CALL __attribute__((sysv_abi))
#include "CWineHost.h"

static const GUID class_ports = {0x4D36E978, 0xE325, 0x11CE, {0xBF, 0xC1, 0x08, 0x00, 0x2B, 0xE1, 0x03, 0x18}};

// A text in Windows' letters; cases have none that are longer.
typedef struct wide {
    WCHAR text[256];
} wide;

static wide widened(const char *text) {
    wide result = {0};
    MultiByteToWideChar(CP_UTF8, 0, text, -1, result.text, 255);
    return result;
}

static DWORD bytes_of(const wide *text) { return (DWORD)((wcslen(text->text) + 1) * sizeof *text->text); }

// MARK: the registry's list

static uint32_t with_list(const char *device, const char *port) {
    HKEY key = NULL;
    // As the kernel makes it: gone with the next start.
    LSTATUS code = RegCreateKeyExW(
        HKEY_LOCAL_MACHINE, L"HARDWARE\\DEVICEMAP\\SERIALCOMM", 0, NULL, REG_OPTION_VOLATILE, KEY_SET_VALUE, NULL, &key, NULL);
    if (code != ERROR_SUCCESS) return (uint32_t)code;
    wide name = widened(device), value = widened(port ? port : "");
    code = port ? RegSetValueExW(key, name.text, 0, REG_SZ, (const BYTE *)value.text, bytes_of(&value)) : RegDeleteValueW(key, name.text);
    RegCloseKey(key);
    return (uint32_t)code;
}

CWINEHOST_CALL uint32_t portloop_wine_port_list(const char *device, const char *port) { return with_list(device, port); }

CWINEHOST_CALL uint32_t portloop_wine_port_strike(const char *device) { return with_list(device, NULL); }

// MARK: devices

static uint32_t set_text(HDEVINFO devices, SP_DEVINFO_DATA *device, DWORD property, const char *value) {
    // A list of hardware ids ends with two zeros; a text has one too many then.
    wide text = widened(value);
    DWORD bytes = bytes_of(&text) + (property == SPDRP_HARDWAREID ? sizeof *text.text : 0);
    return SetupDiSetDeviceRegistryPropertyW(devices, device, property, (const BYTE *)text.text, bytes) ? 0 : GetLastError();
}

static uint32_t fill(HDEVINFO devices, SP_DEVINFO_DATA *device, const char *hardware, const char *name, const char *port) {
    uint32_t code = set_text(devices, device, SPDRP_HARDWAREID, hardware);
    if (code == 0) code = set_text(devices, device, SPDRP_FRIENDLYNAME, name);
    if (code == 0) code = set_text(devices, device, SPDRP_MFG, "Maker");
    if (code == 0) code = set_text(devices, device, SPDRP_DEVICEDESC, "Model");
    if (code == 0) code = set_text(devices, device, SPDRP_SERVICE, "Driver");
    if (code == 0 && !SetupDiRegisterDeviceInfo(devices, device, 0, NULL, NULL, NULL)) code = GetLastError();
    if (code != 0) return code;
    HKEY key = SetupDiCreateDevRegKeyW(devices, device, DICS_FLAG_GLOBAL, 0, DIREG_DEV, NULL, NULL);
    if (key == INVALID_HANDLE_VALUE) return GetLastError();
    wide value = widened(port);
    code = (uint32_t)RegSetValueExW(key, L"PortName", 0, REG_SZ, (const BYTE *)value.text, bytes_of(&value));
    RegCloseKey(key);
    return code;
}

CWINEHOST_CALL uint32_t portloop_wine_device_add(const char *instance, const char *hardware, const char *name, const char *port) {
    HDEVINFO devices = SetupDiCreateDeviceInfoList(&class_ports, NULL);
    if (devices == INVALID_HANDLE_VALUE) return GetLastError();
    SP_DEVINFO_DATA device = {.cbSize = sizeof device};
    wide text = widened(instance);
    uint32_t code = SetupDiCreateDeviceInfoW(devices, text.text, &class_ports, NULL, NULL, 0, &device) ? 0 : GetLastError();
    if (code == 0) code = fill(devices, &device, hardware, name, port);
    SetupDiDestroyDeviceInfoList(devices);
    return code;
}

CWINEHOST_CALL uint32_t portloop_wine_device_remove(const char *instance) {
    HDEVINFO devices = SetupDiCreateDeviceInfoList(&class_ports, NULL);
    if (devices == INVALID_HANDLE_VALUE) return GetLastError();
    SP_DEVINFO_DATA device = {.cbSize = sizeof device};
    wide text = widened(instance);
    uint32_t code = SetupDiOpenDeviceInfoW(devices, text.text, NULL, 0, &device) ? 0 : GetLastError();
    if (code == 0 && !SetupDiRemoveDevice(devices, &device)) code = GetLastError();
    SetupDiDestroyDeviceInfoList(devices);
    return code;
}
