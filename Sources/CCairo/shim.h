// The folder in the path replaces pkg-config flags.
#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>
