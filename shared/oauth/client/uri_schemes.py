"""URI schemes that no client may register, and the reasons, with sources.

A redirect sends the browser to a URI chosen by a stranger. Some schemes open a program that acts on the URI,
so a redirect would start it with the stranger's arguments.
"""


def _schemes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTED_ON_BY_BROWSERS = _schemes("""
    about blob chrome chrome-extension chromium content data feed file filesystem ftp ftps gopher intent jar
    javascript livescript mhtml mocha moz-extension opera resource safari-web-extension urn vbscript
    view-source ws wss wyciwyg
""")
"""https://url.spec.whatwg.org, https://html.spec.whatwg.org, and the browsers' internal pages."""

OWNED_BY_PROTOCOLS = _schemes("""
    afp callto cifs cvs ed2k facetime facetime-audio git imap irc ircs ldap ldaps magnet mailto news nfs nntp
    rdp rlogin rsync rtsp sftp sip sips smb sms snews spice ssh svn tel telnet tftp tn3270 vnc webcal xmpp
""")
"""https://www.iana.org/assignments/uri-schemes: programs exist that speak these protocols."""

WINDOWS = _schemes("""
    bingmaps calculator hcp help its mk odopen onenote onenote-cmd read res search search-ms shell tsvncmd
    windowsdefender
""")
"""CVE-2010-1885 (hcp), CVE-2022-35743 (search-ms),
https://learn.microsoft.com/windows/win32/shell/search-protocol,
https://learn.microsoft.com/office/client-developer/office-uri-schemes."""

RESERVED_PREFIXES = ("ms-", "microsoft-")
"""Windows and its applications: ms-msdt (CVE-2022-30190), ms-appinstaller (CVE-2021-43890), ms-officecmd,
ms-word, microsoft-edge. https://learn.microsoft.com/windows/uwp/launch-resume/reserved-uri-scheme-names."""

APPLE = _schemes("""
    applescript disk disks help-script itms itms-apps itms-appss itms-services macappstore shortcuts workflow
    x-apple.systempreferences x-help-script x-man-page
""")
"""CVE-2004-0486 (help, disk), CVE-2019-8521 (x-man-page),
https://developer.apple.com/library/archive/featuredarticles/iPhoneURLScheme_Reference."""

LAUNCHERS = _schemes("""
    android-app apt com.epicgames.launcher cursor cursor-insiders firefoxurl github-linux github-mac
    github-windows gitkraken idea jetbrains jnlp jnlps market navigatorurl origin origin2 sourcetree steam
    teamviewer10 teamviewer8 teamviewerapi tortoise tvchat1 tvcontrol1 tvfiletransfer1 tvjoinv8 tvpresent1
    tvsendfile1 tvsqcustomer1 tvsqsupport1 tvvideocall1 tvvpn1 uplay vscode vscode-insiders vscodium
    windsurf x-github-client zoommtg zoomus
""")
"""CVE-2007-3670 (firefoxurl), CVE-2018-17456 (clients of Git), CVE-2020-13699 (TeamViewer), CVE-2021-43908
(vscode), CVE-2024-24691 (zoommtg), https://docs.oracle.com/javase/8/docs/technotes/guides/javaws (jnlp),
https://revuln.com/files/ReVuln_Steam_Browser_Protocol_Insecurity.pdf."""

DENIED = ACTED_ON_BY_BROWSERS | OWNED_BY_PROTOCOLS | WINDOWS | APPLE | LAUNCHERS

WELL_KNOWN = frozenset({"cellsauth"})
"""Schemes of known applications that do not derive from a domain name: Pydio Cells' clients."""


def is_denied(scheme: str) -> bool:
    """Whether no client at all may have *scheme* (in lower case)."""
    return scheme in DENIED or scheme.startswith(RESERVED_PREFIXES)


def is_for_strangers(scheme: str) -> bool:
    """Whether a client that registers itself may have *scheme*.

    The scheme derives from a domain name (RFC 8252 §7.1) or is a known one.
    """
    return "." in scheme or scheme in WELL_KNOWN
