// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "SerialBridge",
    products: [.library(name: "Rfc2217", targets: ["Rfc2217"])],
    dependencies: [.package(name: "portloop", path: "../..")],
    targets: [
        // Values alone: neither a loop nor a socket.
        .target(name: "Rfc2217", swiftSettings: settings),
        .testTarget(name: "Rfc2217Tests", dependencies: ["Rfc2217"], swiftSettings: settings),
        .executableTarget(
            name: "SerialBridge",
            dependencies: [
                "Rfc2217", .product(name: "Portloop", package: "portloop"), .product(name: "SocketOps", package: "portloop"),
                .product(name: "SerialOps", package: "portloop"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
