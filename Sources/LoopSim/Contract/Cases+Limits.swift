import LoopCore

// C12: limits on what is in flight.
extension ContractSuite {
    static let limits: [ContractCase] = [
        ContractCase("C12", "a capacity below zero or above 16 MiB is refused at once") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            run.expectRefusal(.capacityExceeded(requested: -1, limit: Limits.capacityMax), "-1") { () throws(OperationError) in
                try run.prepare(handle, capacity: -1)
            }
            run.expectRefusal(.capacityExceeded(requested: Limits.capacityMax + 1, limit: Limits.capacityMax), "16 MiB + 1") {
                () throws(OperationError) in
                try run.prepare(handle, capacity: Limits.capacityMax + 1)
            }
            let id = try run.must("16 MiB") { () throws(OperationError) in try run.prepare(handle, capacity: Limits.capacityMax) }
            // SAFETY: no native call was made.
            try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) }
        },
        ContractCase("C12", "operations beyond a handle's limit are refused until one is freed") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            var ids: [OperationID] = []
            for _ in 0..<Limits().operationsPerHandleMax {
                ids.append(try run.must("prepare") { () throws(OperationError) in try run.prepare(handle) })
            }
            run.expectRefusal(.backpressure(.operationsOnHandle), "one too many") { () throws(OperationError) in try run.prepare(handle) }
            let (other, _) = try run.stream()
            ids.append(try run.must("prepare on another") { () throws(OperationError) in try run.prepare(other) })
            // SAFETY: no native call was made on any of them.
            for id in ids { try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) } }
            let id = try run.must("prepare again") { () throws(OperationError) in try run.prepare(handle) }
            // SAFETY: as above.
            try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) }
        },
        ContractCase("C12", "bytes beyond a handle's limit are refused until some are freed") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            var ids: [OperationID] = []
            for _ in 0..<(Limits().bytesPerHandleMax / Limits.capacityMax) {
                ids.append(try run.must("prepare") { () throws(OperationError) in try run.prepare(handle, capacity: Limits.capacityMax) })
            }
            run.expectRefusal(.backpressure(.bytesOnHandle), "one byte too many") { () throws(OperationError) in
                try run.prepare(handle, capacity: 1)
            }
            // SAFETY: no native call was made on any of them.
            for id in ids { try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) } }
            run.expectEqual(run.ops.metrics.operations.bytesInFlight, 0, "bytes in flight")
        },
        ContractCase("C12", "a handle whose limit is used up by orphans fails as stuck") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            run.leavesStuck = true
            let remotes = Found<[RemoteCompletion]>()
            remotes.value = []
            let ended = Found<WaitEnd>()
            for _ in 0..<Limits().operationsPerHandleMax {
                try run.must("perform") { () throws(OperationError) in
                    _ = try run.ops.perform(on: handle, timeout: .zero) { op in
                        op.remote { remotes.value?.append($0) }
                    } completed: {
                        _, end in
                        ended.set(end)
                    }
                }
            }
            try run.turn(until: "all to be stuck") { ended.count == Limits().operationsPerHandleMax }
            run.expectRefusal(.stuck, "one more") { () throws(OperationError) in try run.prepare(handle) }
            for remote in remotes.value ?? [] { remote.complete() }
            try run.turn(until: "the late packets") { run.ops.metrics.operations.orphaned == 0 }
        },
        ContractCase("C12", "an operation on a handle that was never associated is refused") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            try run.retire(handle)
            run.expectRefusal(.notAssociated, "prepare") { () throws(OperationError) in try run.prepare(handle) }
            run.expectRefusal(.notAssociated, "perform") { () throws(OperationError) in
                try run.ops.perform(on: handle, capacity: 1) { op in
                    op.read()
                } completed: { _, _ in
                }
            }
        },
    ]
}
