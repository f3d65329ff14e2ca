"""The collaborators of the administration of accounts, made when a process starts."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.accounts.administration.grants import GRANT_ADMINISTRATION, GrantAdministration
from services.accounts.administration.groups import GROUP_ADMINISTRATION, GroupAdministration
from services.accounts.administration.recovery import RECOVERY_ADMINISTRATION, RecoveryAdministration
from services.accounts.administration.roles import ROLE_ADMINISTRATION, RoleAdministration
from services.accounts.administration.sessions import SESSION_ADMINISTRATION, SessionAdministration
from services.accounts.administration.users import USER_ADMINISTRATION, UserAdministration
from shared.administration.guard import ADMINISTRATORS, Administrators
from shared.browser.notices import Notices
from shared.server.app import SETTINGS
from shared.server.resources import CLIENTS, KEYRING, PASSWORDS, STORES


async def administration(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: ADMINISTRATORS and the administration of each kind of record.

    Needs `stores` and `passwords`.
    """
    settings, stores = app[SETTINGS], app[STORES]
    notices = Notices.of(settings)
    app[ADMINISTRATORS] = Administrators.of(settings, stores, app[KEYRING], app[CLIENTS])
    app[USER_ADMINISTRATION] = UserAdministration(
        users=stores.users,
        groups=stores.groups,
        credentials=stores.credentials,
        links=stores.recovery_links,
        passwords=app[PASSWORDS],
        notices=notices,
    )
    app[RECOVERY_ADMINISTRATION] = RecoveryAdministration(stores.recovery_links, settings.issuer)
    app[GROUP_ADMINISTRATION] = GroupAdministration(stores.groups, stores.users)
    app[ROLE_ADMINISTRATION] = RoleAdministration(stores.roles, stores.groups, stores.users)
    app[SESSION_ADMINISTRATION] = SessionAdministration(stores.sessions, stores.users)
    app[GRANT_ADMINISTRATION] = GrantAdministration(stores.grants)
    yield
