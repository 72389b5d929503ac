/// Ends the process with a sentence that says what was expected and what was found.
///
/// For a caller's mistake only: the system's refusals are typed errors. It exists because `precondition` prints nothing in a release
/// build, and a crash without a sentence costs its reader an evening.
@inline(never)
public func trap(_ sentence: String) -> Never {
    announce(sentence)
    fatalError(sentence)
}

#if hasFeature(Embedded)
// In an embedded image `fatalError` prints nothing when optimised, so the sentence goes to the host's console first.
private func announce(_ sentence: String) { print(sentence) }
#else
// Everywhere else `fatalError` itself prints its message, in release builds too.
private func announce(_ sentence: String) {}
#endif
