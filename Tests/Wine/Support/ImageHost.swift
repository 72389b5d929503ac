#if hasFeature(Embedded)
internal import CWineHost

/// What the program around the suites does for them: here the Windows program that has mapped the image.
enum Host {
    /// Tells the watchdog, and the report of a crash, which case runs from here on.
    // SAFETY: the host copies the name.
    static func beginCase(_ name: String) { unsafe name.withCString { unsafe portloop_wine_begin_case($0) } }

    static func flush() { portloop_wine_flush() }

    /// A call that no host has.
    static func callMissingFunction() { portloop_wine_missing() }

    /// Lists a port as its driver would. The code of the call.
    // SAFETY: the host reads the texts before it returns; here and below.
    static func list(_ port: String, of device: String) -> UInt32 {
        unsafe device.withCString { device in unsafe port.withCString { unsafe portloop_wine_port_list(device, $0) } }
    }

    static func strike(_ device: String) -> UInt32 { unsafe device.withCString { unsafe portloop_wine_port_strike($0) } }

    /// Makes a device as Windows would for one that is plugged in.
    // SAFETY: as above.
    static func addDevice(_ instance: String, hardware: String, name: String, port: String) -> UInt32 {
        unsafe instance.withCString { instance in
            unsafe hardware.withCString { hardware in
                unsafe name.withCString { name in
                    unsafe port.withCString { unsafe portloop_wine_device_add(instance, hardware, name, $0) }
                }
            }
        }
    }

    // SAFETY: as above.
    static func removeDevice(_ instance: String) -> UInt32 { unsafe instance.withCString { unsafe portloop_wine_device_remove($0) } }

    /// What the program was started with.
    // SAFETY: the host's strings live as long as the program.
    static var arguments: [String] {
        var words: [String] = []
        while let word = unsafe portloop_wine_argument(Int32(words.count)) { words.append(unsafe String(cString: word)) }
        return words
    }
}

extension Suites {
    /// What is about the image, an adapter in it, and ports whose other ends `scripts/test-wine` has.
    static var image: [Suite] { [RuntimeCases.suite, WatchCases.suite, SerialStateCases.suite, SerialCases.suite] }
}

@_cdecl("portloop_wine_main") public func wineMain() -> Int32 { Program.run(Host.arguments) }
#endif
