"""A partner's row comes in, a voucher code leaves by SMS, every penny is proved."""
