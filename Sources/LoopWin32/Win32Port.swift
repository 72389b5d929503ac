internal import CLoopWin32
internal import LoopCore
