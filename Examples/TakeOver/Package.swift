// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "TakeOver",
    dependencies: [.package(name: "portloop", path: "../..")],
    targets: [
        .executableTarget(
            name: "TakeOver",
            dependencies: [.product(name: "Portloop", package: "portloop")],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("NonisolatedNonsendingByDefault")])
    ],
    swiftLanguageModes: [.v6]
)
