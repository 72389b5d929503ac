// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "RespServer",
    dependencies: [.package(name: "portloop", path: "../..")],
    targets: [
        .executableTarget(
            name: "RespServer",
            dependencies: [.product(name: "Portloop", package: "portloop"), .product(name: "SocketOps", package: "portloop")],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("NonisolatedNonsendingByDefault")])
    ],
    swiftLanguageModes: [.v6]
)
