//! The words of the page, in the languages of the web client.

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// `en`
    English,
    /// `fr`
    French,
}

impl Tongue {
    /// Which of them a client likes better (`Accept-Language`, RFC 9110 §12.5.4); English where it
    /// does not say.
    pub fn liked(accept: &str) -> Self {
        let weight = |wanted: &str| {
            let ranges = accept.split(',').filter_map(|range| {
                let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
                let primary = tag.trim().split('-').next()?;
                let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
                primary.eq_ignore_ascii_case(wanted).then_some(weight)
            });
            ranges.fold(0.0, f32::max)
        };
        if weight("fr") > weight("en") { Self::French } else { Self::English }
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
        }
    }
}

/// What the page says; `{house}` is the house's name.
pub(super) struct Words {
    pub lang: &'static str,
    pub title: &'static str,
    pub why: &'static str,
    pub compare: &'static str,
    pub fingerprint: &'static str,
    /// What the device is, and what to do there.
    pub devices: [(&'static str, &'static [&'static str]); 5],
    pub then: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    title: "Trust {house}",
    why: "{house} is a house of its own: no company vouches for it. Tell each of your devices once \
          that you trust it. What you install can vouch for this house and for nothing else on the \
          internet.",
    compare: "First compare",
    fingerprint: "This page came in clear. The line below must be the one on the box's screen \
                  (<b>hearth ca</b>) or in your invite; your device shows it too, as SHA-256, \
                  before it installs anything. If it differs, stop.",
    devices: [
        (
            "iPhone, iPad",
            &[
                "In Safari: <a href=/ca.mobileconfig>the profile</a>, Allow",
                "Settings, Profile Downloaded, Install",
                "Settings, General, About, Certificate Trust Settings: switch it on",
            ],
        ),
        (
            "Android",
            &[
                "<a href=/ca.crt>The certificate</a>, and keep the file",
                "Settings, search for <i>CA certificate</i>, Install anyway, choose the file",
            ],
        ),
        (
            "Mac",
            &[
                "<a href=/ca.mobileconfig>The profile</a>",
                "System Settings, General, Device Management: Install",
            ],
        ),
        (
            "Windows",
            &[
                "<a href=/ca.crt>The certificate</a>, Open, Install Certificate",
                "Place it in <i>Trusted Root Certification Authorities</i>",
            ],
        ),
        (
            "Linux, and Firefox everywhere",
            &[
                "<a href=/ca.crt>The certificate</a>",
                "In the browser's settings search for <i>certificates</i>: Authorities, Import, to \
                 identify websites",
            ],
        ),
    ],
    then: "Then",
};

const FRENCH: Words = Words {
    lang: "fr",
    title: "Faire confiance à {house}",
    why: "{house} est une maison à part : aucune entreprise ne se porte garante pour elle. Dites \
          une fois à chacun de vos appareils que vous lui faites confiance. Ce que vous installez \
          ne vaut que pour cette maison, et pour rien d’autre sur internet.",
    compare: "D’abord, comparez",
    fingerprint: "Cette page est arrivée en clair. La ligne ci-dessous doit être celle qu’affiche \
                  le boîtier (<b>hearth ca</b>) ou votre invitation ; votre appareil la montre \
                  aussi, sous le nom de SHA-256, avant d’installer quoi que ce soit. Si elle \
                  diffère, arrêtez-vous.",
    devices: [
        (
            "iPhone, iPad",
            &[
                "Dans Safari : <a href=/ca.mobileconfig>le profil</a>, Autoriser",
                "Réglages, Profil téléchargé, Installer",
                "Réglages, Général, Informations, Réglages des certificats : l’activer",
            ],
        ),
        (
            "Android",
            &[
                "<a href=/ca.crt>Le certificat</a>, et garder le fichier",
                "Paramètres, chercher <i>Certificat CA</i>, Installer quand même, choisir le \
                 fichier",
            ],
        ),
        (
            "Mac",
            &[
                "<a href=/ca.mobileconfig>Le profil</a>",
                "Réglages Système, Général, Gestion de l’appareil : Installer",
            ],
        ),
        (
            "Windows",
            &[
                "<a href=/ca.crt>Le certificat</a>, Ouvrir, Installer un certificat",
                "Le placer dans <i>Autorités de certification racines de confiance</i>",
            ],
        ),
        (
            "Linux, et Firefox partout",
            &[
                "<a href=/ca.crt>Le certificat</a>",
                "Dans les paramètres du navigateur, chercher <i>certificats</i> : Autorités, \
                 Importer, pour identifier des sites web",
            ],
        ),
    ],
    then: "Ensuite",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_a_client_likes_better_is_taken() {
        for (accept, tongue) in [
            ("fr", Tongue::French),
            ("fr-CH, en;q=0.9", Tongue::French),
            ("de, FR;q=0.7, en;q=0.3", Tongue::French),
            ("en, fr;q=0.9", Tongue::English),
            ("en-GB;q=0.5, fr;q=0.5", Tongue::English),
            ("de", Tongue::English),
            ("fr;q=much", Tongue::English),
            ("fr;q=0", Tongue::English),
            (";;,,q=", Tongue::English),
            ("", Tongue::English),
        ] {
            assert_eq!(Tongue::liked(accept), tongue, "{accept}");
        }
    }
}
