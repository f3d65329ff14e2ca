"""The endpoints of this service that pages of other origins may ask."""

from shared.paths import DEVICE_AUTHORIZATION, REVOCATION, TOKEN, USERINFO

CROSS_ORIGIN = (TOKEN, DEVICE_AUTHORIZATION, REVOCATION, USERINFO)
