/*
 * error.c: OpenSSL's errors as numbers, and their words.
 */
#include "tls.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

int
ql_tls_error(const SSL *ssl)
{
    unsigned long e = ERR_peek_error();
    int reason = ERR_GET_REASON(e);

    if (reason == ERR_R_MALLOC_FAILURE) {
        return ENOMEM;
    }
    if (e == 0 || ERR_GET_LIB(e) != ERR_LIB_SSL || reason >= 0x7fff) {
        return QL_TLS_REFUSED;
    }
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && ssl != NULL) {
        return QL_TLS_VERIFY + (int) SSL_get_verify_result(ssl);
    }
    return QL_TLS_REASON + reason;
}

static void
lower(char *text)
{
    for (; *text != '\0'; text++) {
        *text = (char) tolower((unsigned char) *text);
    }
}

/* "key values mismatch" -> "KEY_VALUES_MISMATCH" */
static void
constant(char *text)
{
    for (; *text != '\0'; text++) {
        *text = isalnum((unsigned char) *text)
                  ? (char) toupper((unsigned char) *text)
                  : '_';
    }
}

/* What OpenSSL says. */
static const char *
words(int err)
{
    const char *text = NULL;

    if (err == QL_TLS_REASON + SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return "tls: unexpected eof";
    }
    if (err >= QL_TLS_VERIFY) {
        return X509_verify_cert_error_string(err - QL_TLS_VERIFY);
    }
    if (err != QL_TLS_REFUSED) {
        text = ERR_reason_error_string(
            ERR_PACK(ERR_LIB_SSL, 0, err - QL_TLS_REASON));
    }
    return text != NULL ? text : "tls: failed";
}

void
ql_tls_error_text(int err, char *to, size_t size)
{
    (void) snprintf(to, size, "%s", words(err));
    lower(to);
}

/* Where the name in OpenSSL's header is not its text in capitals. */
static const struct {
    int err;
    const char *code;
} names[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "UNABLE_TO_GET_ISSUER_CERT"},
    {X509_V_ERR_UNABLE_TO_GET_CRL, "UNABLE_TO_GET_CRL"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "CERT_SIGNATURE_FAILURE"},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, "CRL_SIGNATURE_FAILURE"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "CERT_NOT_YET_VALID"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "CERT_HAS_EXPIRED"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "DEPTH_ZERO_SELF_SIGNED_CERT"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "SELF_SIGNED_CERT_IN_CHAIN"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "UNABLE_TO_VERIFY_LEAF_SIGNATURE"},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, "CERT_CHAIN_TOO_LONG"},
    {X509_V_ERR_CERT_REVOKED, "CERT_REVOKED"},
    {X509_V_ERR_INVALID_CA, "INVALID_CA"},
    {X509_V_ERR_INVALID_PURPOSE, "INVALID_PURPOSE"},
    {X509_V_ERR_CERT_UNTRUSTED, "CERT_UNTRUSTED"},
    {X509_V_ERR_CERT_REJECTED, "CERT_REJECTED"},
    {X509_V_ERR_HOSTNAME_MISMATCH, "HOSTNAME_MISMATCH"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "IP_ADDRESS_MISMATCH"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "EE_KEY_TOO_SMALL"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, "CA_KEY_TOO_SMALL"},
    {X509_V_ERR_CA_MD_TOO_WEAK, "CA_MD_TOO_WEAK"},
    {X509_V_ERR_CRL_HAS_EXPIRED, "CRL_HAS_EXPIRED"},
    {X509_V_ERR_CRL_NOT_YET_VALID, "CRL_NOT_YET_VALID"}};

void
ql_tls_error_code(int err, char *to, size_t size)
{
    if (err == QL_TLS_REASON + SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        (void) snprintf(to, size, "ETRUNCATED");
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (err == QL_TLS_VERIFY + names[i].err) {
            (void) snprintf(to, size, "%s", names[i].code);
            return;
        }
    }
    (void) snprintf(to, size, "%s",
                    err == QL_TLS_REFUSED ? "TLS_FAILED" : words(err));
    constant(to);
}
