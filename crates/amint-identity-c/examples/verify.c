/* Verifies a document from files: verify DOCUMENT SIGNATURE [NAME VALUE]... */
#include <stdio.h>
#include <stdlib.h>

#include "amint_identity.h"

static uint8_t *read_file(const char *path, size_t *bytes) {
    FILE *file = fopen(path, "rb");
    uint8_t *content = malloc(65536);
    if (!file || !content) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(3);
    }
    *bytes = fread(content, 1, 65536, file);
    fclose(file);
    return content;
}

int main(int count, char **arguments) {
    if (count < 3 || count % 2 == 0) {
        fprintf(stderr, "usage: %s DOCUMENT SIGNATURE [NAME VALUE]...\n", arguments[0]);
        return 2;
    }
    amint_identity_expect *expect = amint_identity_expect_new();
    for (int at = 3; at < count; at += 2) {
        if (amint_identity_expect_set(expect, arguments[at], arguments[at + 1]) != 0) {
            fprintf(stderr, "%s is not understood\n", arguments[at]);
        }
    }
    size_t document_bytes, signature_bytes;
    uint8_t *document = read_file(arguments[1], &document_bytes);
    uint8_t *signature = read_file(arguments[2], &signature_bytes);
    char message[256];
    int code = amint_identity_verify(document, document_bytes, signature, signature_bytes, expect, message,
                                     sizeof message);
    amint_identity_expect_free(expect);
    free(document);
    free(signature);
    printf("%d %s\n", code, message);
    return code == AMINT_IDENTITY_VERIFIED ? 0 : 1;
}
