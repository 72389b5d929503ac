"""Serial clients in Python, as the floor is: LIBRARY rtt ROUNDS PATH... | cycle ROUNDS PATH | sink BYTES PATH

LIBRARY is pyserial (a blocking port; several paths in threads), or anyserial-asyncio, anyserial-uvloop, anyserial-trio (one loop).
"""

import sys
import threading
import time

library, verb, count, paths = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]


def report(what, number, began, cpu):
    took = (time.perf_counter_ns() - began) / number
    used = (time.process_time_ns() - cpu) / number
    print(f"{what}={number} ns_each={took:.1f} cpu_ns_each={used:.1f}")


def with_pyserial():
    import serial

    def trips(port):
        for _ in range(count):
            port.write(b"x")
            if port.read(1) != b"x":
                raise RuntimeError("a round trip failed")

    if verb == "cycle":
        began, cpu = time.perf_counter_ns(), time.process_time_ns()
        for _ in range(count):
            serial.Serial(paths[0], 115200).close()
        return report("cycles", count, began, cpu)
    ports = [serial.Serial(path, 115200, timeout=20) for path in paths]
    began, cpu = time.perf_counter_ns(), time.process_time_ns()
    if verb == "rtt":
        threads = [threading.Thread(target=trips, args=(port,)) for port in ports]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return report("round_trips", count * len(ports), began, cpu)
    left = count
    while left > 0:
        left -= len(ports[0].read(max(1, ports[0].in_waiting)))
    report("bytes", count, began, cpu)


async def with_anyserial():
    import anyio
    from anyserial import SerialConfig, open_serial_port

    async def opened(path):
        return await open_serial_port(path, SerialConfig(baudrate=115200))

    async def trips(port):
        for _ in range(count):
            await port.send(b"x")
            if await port.receive(1) != b"x":
                raise RuntimeError("a round trip failed")

    if verb == "cycle":
        began, cpu = time.perf_counter_ns(), time.process_time_ns()
        for _ in range(count):
            await (await opened(paths[0])).aclose()
        return report("cycles", count, began, cpu)
    ports = [await opened(path) for path in paths]
    began, cpu = time.perf_counter_ns(), time.process_time_ns()
    if verb == "rtt":
        async with anyio.create_task_group() as group:
            for port in ports:
                group.start_soon(trips, port)
        report("round_trips", count * len(ports), began, cpu)
    else:
        left = count
        while left > 0:
            left -= len(await ports[0].receive(65536))
        report("bytes", count, began, cpu)
    for port in ports:
        await port.aclose()


if library == "pyserial":
    with_pyserial()
else:
    import anyio

    runtime = library.removeprefix("anyserial-")
    options = {"use_uvloop": True} if runtime == "uvloop" else {}
    anyio.run(with_anyserial, backend="trio" if runtime == "trio" else "asyncio", backend_options=options)
