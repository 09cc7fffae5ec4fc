#include "bundled_model.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char model[] = {
#embed "bundled.safetensors"
};

const void *bundled_model(size_t *size) {
  *size = sizeof model;
  return model;
}
