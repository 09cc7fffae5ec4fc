// Named by its folder, so that no pkg-config flags are needed.
#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>
