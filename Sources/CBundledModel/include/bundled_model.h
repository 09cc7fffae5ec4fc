#pragma once

#include <stddef.h>

/// A safetensors file; docs/model-card.md tells what is in it.
const void *_Nonnull bundled_model(size_t *_Nonnull size);
