internal import LoopCore

/// A driver that completes nothing by itself: its operations stay parked until the test completes them by hand.
final class Device: SimulatedObject {}
