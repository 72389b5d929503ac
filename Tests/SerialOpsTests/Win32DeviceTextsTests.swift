import Testing

@testable import SerialOps

/// What Windows calls devices, as it has been seen on machines of many people.
@Suite("Windows' words for devices") struct Win32DeviceTextsTests {
    private func described(_ change: (inout Win32DeviceTexts) -> Void) -> SerialPortInfo {
        var (texts, info) = (Win32DeviceTexts(), SerialPortInfo(path: "COM5", kind: .other))
        change(&texts)
        texts.describe(&info)
        return info
    }

    @Test("A USB device with a serial number") func usb() {
        let info = described {
            $0.instance = "USB\\VID_2341&PID_0043\\75830303934351617202"
            $0.hardware = "USB\\VID_2341&PID_0043&REV_0001"
            ($0.name, $0.manufacturer, $0.description) = ("Arduino Uno (COM5)", "Arduino LLC", "Arduino Uno")
            ($0.service, $0.location) = ("usbser", "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(2)#USB(4)")
        }
        #expect(info.kind == .usb && info.vendorID == 0x2341 && info.productID == 0x0043)
        #expect(info.serialNumber == "75830303934351617202" && info.interfaceNumber == nil)
        #expect(info.friendlyName == "Arduino Uno (COM5)" && info.manufacturer == "Arduino LLC" && info.product == "Arduino Uno")
        #expect(info.driver == "usbser" && info.location == "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(2)#USB(4)")
    }

    @Test("A USB device without one: what Windows makes up for it is no serial number") func withoutNumber() {
        let info = described {
            $0.instance = "USB\\VID_1A86&PID_7523\\5&2D5B1A9C&0&2"
            $0.parent = "USB\\ROOT_HUB30\\4&10C1B4F3&0&0"
        }
        #expect(info.vendorID == 0x1A86 && info.productID == 0x7523 && info.serialNumber == nil)
        #expect(info.kind == .usb)
    }

    @Test("A device behind a hub that has a number does not get the hub's") func behindHub() {
        let info = described {
            $0.instance = "USB\\VID_1A86&PID_7523\\5&2D5B1A9C&0&2"
            $0.parent = "USB\\VID_05E3&PID_0610\\HUB1"
        }
        #expect(info.vendorID == 0x1A86 && info.serialNumber == nil)
    }

    @Test("One function of several has its device's serial number, and its socket") func function() {
        let info = described {
            $0.instance = "USB\\VID_0483&PID_374B&MI_02\\6&3A1B5C0&0&0002"
            $0.parent = "USB\\VID_0483&PID_374B\\066DFF495056805087"
            $0.location = "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(1)#USBMI(2)"
            ($0.product, $0.description) = ("ST-Link VCP Ctrl", "STMicroelectronics STLink Virtual COM Port")
        }
        #expect(info.vendorID == 0x0483 && info.productID == 0x374B && info.interfaceNumber == 2)
        #expect(info.serialNumber == "066DFF495056805087")
        #expect(info.location == "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(1)" && info.product == "ST-Link VCP Ctrl")
    }

    @Test("A port of FTDI's own bus: a letter for the port behind the serial number") func ftdi() {
        let one = described { $0.instance = "FTDIBUS\\VID_0403+PID_6001+A6004CZAA\\0000" }
        #expect(one.kind == .usb && one.vendorID == 0x0403 && one.productID == 0x6001)
        #expect(one.serialNumber == "A6004CZA" && one.interfaceNumber == 0)
        let second = described {
            $0.instance = "FTDIBUS\\VID_0403+PID_6010+FT4XYZB\\0000"
            $0.parentLocation = "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(3)#USBMI(1)"
        }
        #expect(second.serialNumber == "FT4XYZ" && second.interfaceNumber == 1)
        #expect(second.location == "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(3)")
        let unnumbered = described {
            $0.instance = "FTDIBUS\\VID_0403+PID_6001+5&2D5B1A9C&0&2\\0000"
            $0.parent = "USB\\VID_0403&PID_6001\\5&2D5B1A9C&0&2"
        }
        #expect(unnumbered.vendorID == 0x0403 && unnumbered.serialNumber == nil && unnumbered.interfaceNumber == nil)
    }

    @Test("Small letters are the same") func smallLetters() {
        let info = described { $0.instance = "usb\\vid_10c4&pid_ea60&mi_01\\x" }
        #expect(info.vendorID == 0x10C4 && info.productID == 0xEA60 && info.interfaceNumber == 1)
    }

    @Test("A driver's own bus: the model is that of the device it is on") func ownBus() {
        let info = described {
            $0.instance = "MXUPORT\\COM\\6&1"
            $0.hardware = "MXUPORT\\COM"
            $0.parent = "USB\\VID_110A&PID_1150\\TBAKA1"
        }
        #expect(info.kind == .usb && info.vendorID == 0x110A && info.productID == 0x1150)
        // Which of its ports it is nobody knows, so that number is not this port's alone.
        #expect(info.serialNumber == nil)
    }

    @Test("What is not on USB says where it is") func others() {
        #expect(described { $0.instance = "ACPI\\PNP0501\\1" }.kind == .builtIn)
        #expect(described { $0.instance = "PCI\\VEN_8086&DEV_9D3D&SUBSYS_00000000&REV_21\\3&11583659&0&B3" }.kind == .pci)
        #expect(described { $0.instance = "MF\\PCI#VEN_9710&DEV_9835\\5&1" }.kind == .pci)
        #expect(described { $0.instance = "BTHENUM\\{00001101-0000-1000-8000-00805F9B34FB}_LOCALMFG&0000\\7&1" }.kind == .bluetooth)
        #expect(described { $0.instance = "ROOT\\PORTS\\0000" }.kind == .other)
        for info in [described { $0.instance = "ACPI\\PNP0501\\1" }, described { _ in }] {
            #expect(info.vendorID == nil && info.serialNumber == nil && info.interfaceNumber == nil)
        }
    }

    @Test(
        "What is cut or senseless is not known, and nothing worse",
        arguments: [
            "", "\\", "USB", "USB\\", "USB\\VID_", "USB\\VID_04&PID_60\\1", "USB\\VID_ZZZZ&PID_0001\\1", "USB\\PID_6001\\A&B",
            "FTDIBUS\\+++\\0",
            "FTDIBUS\\VID_0403+PID_6001+\\0", "FTDIBUS\\VID_0403+PID_6001+Z", "USB\\VID_0403&PID_6001", "USB\\VID_0403&PID_6001\\",
            "\u{0}\\\u{0}",
        ])
    func senseless(instance: String) {
        let info = described { ($0.instance, $0.hardware, $0.parent, $0.location) = (SerialText(instance), "", "\\\\\\", "#") }
        #expect(info.serialNumber == nil)
        #expect(info.interfaceNumber == nil)
    }

    @Test("Random names are taken apart without a trap, and cut ones too") func random() {
        var random = SplitMix(5)
        let pieces = ["USB", "FTDIBUS", "\\", "&", "+", "VID_", "PID_", "MI_", "0403", "6001", "A1", "\\5&1", "é", "(", "#USBMI("]
        for _ in 0..<5_000 {
            let text = (0..<random.next() % 9).reduce(into: "") { text, _ in text += pieces[Int(random.next() % UInt64(pieces.count))] }
            let bytes = Array(SerialText(text).bytes.prefix(Int(random.next() % 40)))
            _ = described { ($0.instance, $0.parent, $0.location) = (SerialText(bytes: bytes), SerialText(text), SerialText(text)) }
        }
    }
}
