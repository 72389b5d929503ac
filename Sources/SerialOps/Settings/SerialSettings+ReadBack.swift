extension SerialSettings {
    /// Whether a speed that a driver has set will do for the one that was asked for.
    ///
    /// Within three hundredths: a receiver that samples in the middle of a bit is a whole bit off after ten of them at five.
    func accepts(baud found: UInt32) -> Bool {
        let difference = found > baud ? found - baud : baud - found
        return UInt64(difference) * 100 <= UInt64(baud) * 3
    }
}
