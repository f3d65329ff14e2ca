"""The endpoints of this service that allow cross-origin requests."""

from shared.paths import DEVICE_AUTHORIZATION, REVOCATION, TOKEN, USERINFO

CROSS_ORIGIN = (TOKEN, DEVICE_AUTHORIZATION, REVOCATION, USERINFO)
