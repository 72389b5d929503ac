internal import LoopCore

extension SimulatedKernel {
    /// Gives an object a number.
    func register(_ object: SimulatedObject) -> NativeHandle { objects.register(object) }

    func associate(_ handle: NativeHandle, as key: HandleKey) throws(AssociationError) {
        guard let object = objects[handle] else { throw .badHandle }
        guard object.key == nil else { throw .alreadyAssociated }
        guard !random.happens(faults.refusesAssociations) else { throw .system(SimulatedStatus.noResources.error) }
        object.key = key
        for former in objects.takeFormer(handle) { end(former, handle, object) }
    }

    /// What an earlier object of the same number still had parked ends here, whatever becomes of the new one (C13).
    private func end(_ former: SimulatedObject, _ handle: NativeHandle, _ successor: SimulatedObject) {
        if bug == .followsNumbers { return successor.inherit(former) }
        for operation in former.parked { abort(operation) }
    }

    func dissociate(_ handle: NativeHandle, as key: HandleKey) {
        // The number may be somebody else's by now; the key tells.
        if let object = objects[handle], object.key == key { object.key = nil }
    }

    /// Closes a number. The object is gone; its operations may not be (``SimulatedFaults/close``).
    func close(_ handle: NativeHandle) {
        guard let object = objects.close(handle, faults.numbers) else {
            trap("Handle \(handle.rawValue) is closed, and it is not open: it was closed before, or belongs to another port.")
        }
        if faults.close == .endsOperations {
            for operation in object.parked { abort(operation) }
        }
        object.hangUp(self)
        settle()
        if !object.parked.isEmpty { objects.remember(object, as: handle) }
    }

    func listener(at address: SocketAddress) -> Listener? { objects.listener(address.storage[0]) }

    /// The object of a handle that a test names. A test that names none is wrong.
    func object(_ handle: NativeHandle) -> SimulatedObject {
        guard let object = objects[handle] else { trap("Handle \(handle.rawValue) names nothing in this simulation.") }
        return object
    }
}

/// Which number names which object.
struct ObjectTable {
    /// By number, from ``firstNumber`` on.
    private var objects: [SimulatedObject?] = []
    private var vacant: [NativeHandle] = []
    /// Objects whose number was closed while operations were parked there.
    private var former: [(handle: NativeHandle, object: SimulatedObject)] = []
    private var listeners: [Listener] = []
    private(set) var openCount = 0

    /// As on Linux, where 0, 1 and 2 are taken.
    private static let firstNumber = 3

    subscript(handle: NativeHandle) -> SimulatedObject? {
        let place = handle.rawValue - ObjectTable.firstNumber
        return objects.indices.contains(place) ? objects[place] : nil
    }

    mutating func register(_ object: SimulatedObject) -> NativeHandle {
        openCount += 1
        if let listener = object as? Listener { listeners.append(listener) }
        if let handle = vacant.popLast() {
            objects[handle.rawValue - ObjectTable.firstNumber] = object
            object.handle = handle
        } else {
            objects.append(object)
            object.handle = NativeHandle(rawValue: objects.count - 1 + ObjectTable.firstNumber)
        }
        return object.handle
    }

    mutating func close(_ handle: NativeHandle, _ reuse: NumberReuse) -> SimulatedObject? {
        guard let object = self[handle] else { return nil }
        objects[handle.rawValue - ObjectTable.firstNumber] = nil
        object.handle = .invalid
        listeners.removeAll { $0 === object }
        openCount -= 1
        if reuse == .latestFirst { vacant.append(handle) }
        return object
    }

    /// Keeps a closed object for the sake of what is parked there.
    mutating func remember(_ object: SimulatedObject, as handle: NativeHandle) { former.append((handle, object)) }

    /// Objects that had the number before, no longer remembered.
    mutating func takeFormer(_ handle: NativeHandle) -> [SimulatedObject] {
        let found = former.filter { $0.handle == handle }.map { $0.object }
        former.removeAll { $0.handle == handle }
        return found
    }

    /// An address nobody has had.
    private var lastAddress: UInt64 = 0
    mutating func newAddress() -> SocketAddress {
        lastAddress += 1
        var address = SocketAddress()
        address.length = 8
        address.storage[0] = lastAddress
        return address
    }

    func listener(_ address: UInt64) -> Listener? { listeners.first { $0.address.storage[0] == address } }

    /// Everything open is closed: two ends would hold each other for ever.
    mutating func removeAll() -> [SimulatedObject] {
        let all = objects.compactMap { $0 }
        objects = []
        former = []
        return all
    }
}
