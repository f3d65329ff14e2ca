"""The pages that users see. This is the only code that renders HTML: views in, complete responses out.

Pages that lead to a client allow `https:` in `form-action` beside the client's own redirect URI: Chromium
applies that directive to every later redirect, including the client's own, and would otherwise block them.
All other pages allow only `'self'`.
"""

from shared.browser.pages.pages import Pages
from shared.browser.pages.views.client import ClientView
from shared.browser.pages.views.consent import (
    ApiView,
    ConfirmDeviceView,
    ConsentView,
    DeviceDoneView,
    DeviceFault,
    DeviceOutcome,
    DeviceView,
    LocalizedText,
)
from shared.browser.pages.views.form import FormView
from shared.browser.pages.views.held import HeldView
from shared.browser.pages.views.outcome import ErrorView, LeavingView, OutOfBandView
from shared.browser.pages.views.second_factor import (
    AddSecondFactorView,
    RecoveryCodesView,
    SecondFactorFault,
    SecondFactorView,
)
from shared.browser.pages.views.sign_in import (
    AccountView,
    LoginFault,
    LoginView,
    PasswordChangeFault,
    ReplacePasswordView,
    SelectAccountView,
    SignUpFault,
    SignUpView,
)
from shared.browser.pages.views.sign_out import LogoutView, SignedOutView
from shared.browser.pages.views.start import ApplicationView, PresetView, SentMailView, StartView

__all__ = [
    "AccountView",
    "AddSecondFactorView",
    "ApiView",
    "ApplicationView",
    "ClientView",
    "ConfirmDeviceView",
    "ConsentView",
    "DeviceDoneView",
    "DeviceFault",
    "DeviceOutcome",
    "DeviceView",
    "ErrorView",
    "FormView",
    "HeldView",
    "LeavingView",
    "LocalizedText",
    "LoginFault",
    "LoginView",
    "LogoutView",
    "OutOfBandView",
    "Pages",
    "PasswordChangeFault",
    "PresetView",
    "RecoveryCodesView",
    "ReplacePasswordView",
    "SecondFactorFault",
    "SecondFactorView",
    "SelectAccountView",
    "SentMailView",
    "SignUpFault",
    "SignUpView",
    "SignedOutView",
    "StartView",
]
