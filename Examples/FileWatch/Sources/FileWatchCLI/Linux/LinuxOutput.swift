#if PORTLOOP_LINUX
import Glibc

/// Says a line at once, also into a pipe: a signal may end the program at any time.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// Says why there is nothing to say. The program's status.
func fail(_ sentence: String) -> Int32 {
    // SAFETY: the bytes are the array's, for the time of the call.
    let bytes = Array("filewatch: \(sentence)\n".utf8)
    unsafe write(STDERR_FILENO, bytes, bytes.count)
    return 1
}

func end(_ status: Int32) -> Never { exit(status) }
#endif
