import Testing

/// The process ended, and said why on its way.
func expectSentence(_ sentence: String, in result: ExitTest.Result?, sourceLocation: SourceLocation = #_sourceLocation) {
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains(sentence), "it said: \(said)", sourceLocation: sourceLocation)
}
