// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is held to. Nothing here is an `unsafeFlags`: those would bar use as a dependency.
let language: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The same, and which files of two platforms are compiled.
let strict =
    language + [
        .define("PORTLOOP_LINUX", .when(platforms: [.linux])),
        .define("PORTLOOP_WINDOWS", .when(platforms: [.windows])),
    ]

let package = Package(
    name: "portloop",
    products: [
        .library(name: "Portloop", targets: ["Portloop"]),
        .library(name: "LoopCore", targets: ["LoopCore"]),
        .library(name: "LoopEpoll", targets: ["LoopEpoll"]),
        .library(name: "LoopWin32", targets: ["LoopWin32"]),
        // For adapters' own calls on Windows.
        .library(name: "CLoopWin32", targets: ["CLoopWin32"]),
        .library(name: "LoopSim", targets: ["LoopSim"]),
        .library(name: "StreamOps", targets: ["StreamOps"]),
        .library(name: "SerialOps", targets: ["SerialOps"]),
        .library(name: "SocketOps", targets: ["SocketOps"]),
        .executable(name: "portloop", targets: ["PortloopCLI"]),
    ],
    targets: [
        .target(name: "CLoopCore"),
        .target(name: "CLoopEpoll"),
        .target(
            name: "CLoopWin32",
            linkerSettings: ["ws2_32", "advapi32", "setupapi", "cfgmgr32"].map { .linkedLibrary($0, .when(platforms: [.windows])) }),
        .target(name: "LoopCore", dependencies: ["CLoopCore"], swiftSettings: strict),
        .target(
            name: "LoopEpoll",
            dependencies: ["LoopCore", .target(name: "CLoopEpoll", condition: .when(platforms: [.linux]))],
            swiftSettings: strict),
        // On Linux too: there it is only type-checked, and the shim's code is empty.
        .target(name: "LoopWin32", dependencies: ["LoopCore", "CLoopWin32"], swiftSettings: strict),
        .target(
            name: "Portloop",
            dependencies: [
                "LoopCore", .target(name: "LoopEpoll", condition: .when(platforms: [.linux])),
                .target(name: "LoopWin32", condition: .when(platforms: [.windows])),
            ],
            swiftSettings: strict),
        .target(name: "LoopSim", dependencies: ["LoopCore"], swiftSettings: strict),
        .target(name: "StreamOps", dependencies: ["LoopCore"], swiftSettings: strict),
        .target(name: "CSerialOps"),
        .target(
            name: "SerialOps",
            dependencies: [
                "LoopCore", "StreamOps", .target(name: "CSerialOps", condition: .when(platforms: [.linux])),
                .target(name: "CLoopWin32", condition: .when(platforms: [.windows])),
            ],
            swiftSettings: strict),
        .target(name: "CSocketOps"),
        .target(
            name: "SocketOps",
            dependencies: [
                "LoopCore", "StreamOps", .target(name: "CSocketOps", condition: .when(platforms: [.linux])),
                .target(name: "CLoopWin32", condition: .when(platforms: [.windows])),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "PortloopCLI",
            dependencies: ["Portloop", "SerialOps", .target(name: "CLoopEpoll", condition: .when(platforms: [.linux]))],
            swiftSettings: strict),
        .testTarget(name: "LoopCoreTests", dependencies: ["LoopCore", "LoopSim"], swiftSettings: strict),
        .target(name: "CTestSupport", path: "Tests/CTestSupport"),
        // What needs a process that nothing else runs in: started by tests.
        .executableTarget(
            name: "TaskProgram", dependencies: ["LoopCore", "LoopEpoll"], path: "Tests/Programs/TaskProgram", swiftSettings: strict),
        .testTarget(
            name: "LoopEpollTests",
            dependencies: ["LoopCore", "LoopSim", "LoopEpoll", "CLoopEpoll", "Portloop", "CTestSupport", "TaskProgram"],
            swiftSettings: strict),
        .testTarget(name: "LoopSimTests", dependencies: ["LoopCore", "LoopSim", "CTestSupport"], swiftSettings: strict),
        // What others' programs talk to: started by scripts/test-interop.
        .executableTarget(
            name: "SerialProgram", dependencies: ["LoopCore", "LoopEpoll", "SerialOps"], path: "Tests/Programs/SerialProgram",
            swiftSettings: strict),
        .testTarget(
            name: "SerialOpsTests",
            dependencies: ["SerialOps", "StreamOps", "LoopCore", "LoopEpoll", "LoopSim", "CSerialOps", "CTestSupport", "PortloopCLI"],
            swiftSettings: strict),
        .testTarget(
            name: "SocketOpsTests", dependencies: ["SocketOps", "StreamOps", "LoopCore", "LoopEpoll", "LoopSim", "CTestSupport"],
            swiftSettings: strict
        ),
        // What the guest of `scripts/test-uart` runs.
        .executableTarget(
            name: "UartSuite", dependencies: ["SerialOps", "LoopCore", "LoopEpoll", "CSerialOps"], path: "Tests/Uart/Suite",
            swiftSettings: strict),
        .testTarget(name: "RepositoryTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// On Windows what is Linux's is left out, and the suites that `scripts/test-wine` runs in an image are a program: `swift run WindowsSuite`.
// Elsewhere it is not: there the shim has no code to link with.
if Context.environment["OS"] == "Windows_NT" {
    let ofLinux = [
        "LoopEpoll", "CLoopEpoll", "PortloopCLI", "portloop", "LoopCoreTests", "LoopEpollTests", "LoopSimTests", "RepositoryTests",
        "CTestSupport", "TaskProgram", "CSocketOps", "CSerialOps", "SerialOpsTests", "SocketOpsTests", "UartSuite",
        "SerialProgram",
    ]
    package.targets.removeAll { ofLinux.contains($0.name) }
    package.products.removeAll { ofLinux.contains($0.name) }
    for target in package.targets {
        // Whatever the platform: on Linux the suites are compiled so, and linked with nothing.
        if target.name == "SerialOps" || target.name == "SocketOps" {
            target.dependencies = ["LoopCore", "StreamOps", "CLoopWin32"]
            target.swiftSettings = language + [.define("PORTLOOP_WINDOWS")]
        }
        target.dependencies.removeAll { dependency in
            if case .targetItem(let name, _) = dependency { ofLinux.contains(name) } else { false }
        }
    }
    package.targets.append(
        .executableTarget(
            name: "WindowsSuite",
            dependencies: ["LoopCore", "StreamOps", "LoopSim", "LoopWin32", "CLoopWin32", "SerialOps", "SocketOps"], path: "Tests/Wine",
            exclude: ["Host", "FileWatch", "README.md"], swiftSettings: strict))
}

// A campaign is optimised, and only the suites that need that are built: those of the simulation, and the counts of what things cost; of
// long ones, streams through serial ports, too.
if Context.environment["PORTLOOP_CAMPAIGN"] == "1" {
    var ofOthers = ["LoopCoreTests", "RepositoryTests", "UartSuite", "SerialProgram", "TaskProgram"]
    if Context.environment["PORTLOOP_LONG"] != "1" { ofOthers.append("SerialOpsTests") }
    package.targets.removeAll { ofOthers.contains($0.name) }
    for target in package.targets where target.name == "LoopEpollTests" {
        target.dependencies.removeAll { if case .byNameItem("TaskProgram", _) = $0 { true } else { false } }
        target.exclude = ["EpollPort", "Loop", "System"]
    }
    for target in package.targets where target.name == "SocketOpsTests" { target.exclude = ["Sockets"] }
}
