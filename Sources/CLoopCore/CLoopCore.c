// The module is its header. A target needs a source file.
#include "CLoopCore.h"
