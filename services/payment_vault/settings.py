"""Settings of the payment vault."""

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """``reveals``: whether this deployment serves DetokenizationService and logs in at Vault with the right to decrypt.

    ``luhn_strict_domestic``: refuse domestic cards (prefix 9) whose check digit is not Luhn's; the owner decides.
    """

    reveals: bool = True
    luhn_strict_domestic: bool = False
