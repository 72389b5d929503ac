import Glibc
import LoopCore

/// A page that the kernel does not touch until it is told to: so long a read into it is under way. The corresponding interface is
/// userfaultfd(2).
@safe final class HangingMemory {
    static let bytes = 4096

    private let faults: Int32
    private let page: UnsafeMutableRawPointer
    private let address: UInt64

    static var isPossible: Bool {
        let device = OpenFile.orNil(path: "/dev/userfaultfd", O_RDWR)
        return device != nil
    }

    init() {
        let device = OpenFile(path: "/dev/userfaultfd", O_RDWR)
        faults = withExtendedLifetime(device) { ioctl(device.fd, 0xAA00, O_CLOEXEC) }  // USERFAULTFD_IOC_NEW
        var handshake: [UInt64] = [0xAA, 0, 0]
        unsafe _ = ioctl(faults, 0xC018_AA3F, &handshake)  // UFFDIO_API
        let memory = unsafe mmap(nil, HangingMemory.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory else { trap("A test got no page.") }
        unsafe page = memory
        address = UInt64(UInt(bitPattern: memory))
        var range: [UInt64] = [address, UInt64(HangingMemory.bytes), 1, 0]
        unsafe _ = ioctl(faults, 0xC020_AA00, &range)  // UFFDIO_REGISTER, for missing pages
    }

    deinit {
        Glibc.close(faults)
        unsafe munmap(page, HangingMemory.bytes)
    }

    /// An operation whose buffer is the page.
    func lend() -> Lent { unsafe Lent(buffer: UnsafeMutableRawBufferPointer(start: page, count: HangingMemory.bytes)) }

    /// Waits until someone is stopped at the page.
    func awaitTouch() {
        var message = [UInt64](repeating: 0, count: 4)
        unsafe _ = read(faults, &message, 32)
    }

    func release() {
        var range: [UInt64] = [address, UInt64(HangingMemory.bytes), 0, 0]
        unsafe _ = ioctl(faults, 0xC020_AA04, &range)  // UFFDIO_ZEROPAGE
    }
}
