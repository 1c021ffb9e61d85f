/* amint-identity: proves at run time on which EC2 product a program runs.
 *
 *     amint_identity_expect *expect = amint_identity_expect_new();
 *     amint_identity_expect_set(expect, "product-code", "aw0evgkw8e5c1q413zgy5pjce");
 *     amint_identity_expect_set(expect, "private-ip", "own");
 *     char message[256];
 *     int code = amint_identity_prove(NULL, expect, message, sizeof message);
 *     amint_identity_expect_free(expect);
 *     if (code != AMINT_IDENTITY_VERIFIED) { fprintf(stderr, "%s\n", message); exit(1); }
 *
 * Link with -lamint_identity_c. SPDX-License-Identifier: Apache-2.0
 */
#ifndef AMINT_IDENTITY_H
#define AMINT_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The document is genuine and is what was expected. */
#define AMINT_IDENTITY_VERIFIED 0

/* Refusals; the codes never change. */
/* The document is not the JSON that EC2 writes. Fetch it again, and keep its bytes as they are. */
#define AMINT_IDENTITY_DOCUMENT_UNREADABLE 1
/* The signature is no base64 or no message of EC2's shape. Fetch it again; do not shorten it. */
#define AMINT_IDENTITY_SIGNATURE_UNREADABLE 2
/* The signature is of another form than accepted. Fetch `rsa2048`, or accept the form by name. */
#define AMINT_IDENTITY_WRONG_FORM 3
/* The message holds another document than the one given. An added newline is enough: compare the files. */
#define AMINT_IDENTITY_CONTENT_DIFFERS 4
/* The message has no signer or several. EC2's have one: it was made by somebody else. */
#define AMINT_IDENTITY_SIGNER_COUNT 5
/* The message lacks a signed attribute. EC2's have them: it was made by somebody else. */
#define AMINT_IDENTITY_ATTRIBUTE_MISSING 6
/* A signed attribute stands twice. EC2's do not: it was made by somebody else. */
#define AMINT_IDENTITY_ATTRIBUTE_REPEATED 7
/* A signed attribute contradicts the message: it was changed. */
#define AMINT_IDENTITY_ATTRIBUTE_WRONG 8
/* The document was changed after it was signed. */
#define AMINT_IDENTITY_DIGEST_DIFFERS 9
/* The message uses algorithms that EC2 does not use in that form: it was made by somebody else. */
#define AMINT_IDENTITY_ALGORITHM_REFUSED 10
/* No certificate of the document's region is known. Give a newer list of certificates, or update. */
#define AMINT_IDENTITY_NO_CERTIFICATE 11
/* The message names a certificate that is not known: a forgery, or a new certificate of EC2. */
#define AMINT_IDENTITY_SIGNER_UNKNOWN 12
/* The message is signed by another region than the document says: a forgery. */
#define AMINT_IDENTITY_SIGNER_OF_OTHER_REGION 13
/* The signature is not of the key it claims: a forgery, or changed bytes. */
#define AMINT_IDENTITY_SIGNATURE_WRONG 14
/* The certificate has expired and the caller wants that to count. EC2 goes on using keys after that. */
#define AMINT_IDENTITY_CERTIFICATE_EXPIRED 15
/* The instance was not launched from the product: its document lacks the product code. */
#define AMINT_IDENTITY_PRODUCT_CODE 20
/* The instance belongs to another account than expected. */
#define AMINT_IDENTITY_ACCOUNT 21
/* The instance runs in another region than expected. */
#define AMINT_IDENTITY_REGION 22
/* The instance was launched from another image than expected: a copy, or a version not listed. */
#define AMINT_IDENTITY_IMAGE 23
/* The document is of another instance: it was copied. */
#define AMINT_IDENTITY_INSTANCE 24
/* The document's private address is not of this machine: it was copied, or this is a container's network. */
#define AMINT_IDENTITY_PRIVATE_IP 25
/* The document is of another architecture than expected. */
#define AMINT_IDENTITY_ARCHITECTURE 26
/* The instance started longer ago than accepted. Documents are made anew when an instance starts. */
#define AMINT_IDENTITY_STALE 27
/* The document is from the future: this machine's clock is wrong, or the document is. */
#define AMINT_IDENTITY_FROM_FUTURE 28
/* The metadata service and the signed document list different product codes: one of them is not EC2's. */
#define AMINT_IDENTITY_PRODUCT_CODES_DIFFER 29

/* No proof can be had (amint_identity_prove only). */
/* No metadata service answers: not on EC2. */
#define AMINT_IDENTITY_NOT_ON_EC2 100
/* The answer of the metadata service is lost on its way: the instance's hop limit is too low. */
#define AMINT_IDENTITY_HOP_LIMIT 101
/* The metadata service gives no token: it is switched off. */
#define AMINT_IDENTITY_FORBIDDEN 102
/* The metadata service cannot be read, or is none of EC2's. */
#define AMINT_IDENTITY_UNREADABLE 103

/* An argument is null, no UTF-8 or not understood; or an earlier setting of the expectation failed. */
#define AMINT_IDENTITY_MISUSE (-1)
/* A defect of the library. */
#define AMINT_IDENTITY_FAILED (-2)

/* What a program expects. One thread at a time may use it. */
typedef struct amint_identity_expect amint_identity_expect;

/* Makes an expectation that accepts the genuine document, in the form rsa2048, of any instance of anybody. */
amint_identity_expect *amint_identity_expect_new(void);

/* Frees an expectation; null is fine. */
void amint_identity_expect_free(amint_identity_expect *expect);

/* Adds to an expectation; returns 0, or AMINT_IDENTITY_MISUSE, after which the expectation accepts nothing.
 *
 *   product-code      the document lists this code; set several times: all of them
 *   any-product-code  set several times: the document lists one of them
 *   account, region, instance, architecture   the document says this
 *   image             set several times: the instance was launched from one of them
 *   private-ip        an address, or "own": one of this machine's
 *   max-age-seconds   the instance was started at most so long ago
 *   unexpired         "yes": the certificate has not expired
 *   form              rsa2048, pkcs7 or signature is accepted; set several times: any of them; the first is fetched
 *   certificates      a file or folder to trust in place of EC2's certificates
 *   also-trust        a file or folder to trust beside EC2's certificates
 */
int amint_identity_expect_set(amint_identity_expect *expect, const char *name, const char *value);

/* Verifies that EC2 signed the document, whose very bytes are given, and that it is what is expected.
 *
 * Returns one of the codes above, and writes to message, unless it is null, a text that ends with a zero: the id of the
 * instance where the document is verified, else "REASON: text".
 */
int amint_identity_verify(const uint8_t *document, size_t document_bytes,
                          const uint8_t *signature, size_t signature_bytes,
                          const amint_identity_expect *expect, char *message, size_t message_bytes);

/* The same for the document of this instance, fetched from its metadata service. endpoint is null for EC2's, or for what
 * the environment names (AWS_EC2_METADATA_SERVICE_ENDPOINT). Takes some seconds where nothing answers.
 */
int amint_identity_prove(const char *endpoint, const amint_identity_expect *expect, char *message,
                         size_t message_bytes);

#ifdef __cplusplus
}
#endif

#endif
