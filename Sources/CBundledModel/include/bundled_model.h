#pragma once

#include <stddef.h>

/// A safetensors file; see docs/model-card.md.
const void *_Nonnull bundled_model(size_t *_Nonnull size);
