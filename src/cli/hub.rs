//! The team's hub, where `tollgate.toml` names one: asked before a verb acts and told after it, where it
//! can be reached. Work goes on without it.

use std::time::Duration;

use super::Result;
use super::config::FILE;
use super::exit::Trouble;
use super::output::Output;
use super::project::Project;
use crate::ledger::Ledger;
use crate::targets::address::{Address, PostgresSettings};
use crate::targets::hub::Hub;
use crate::workflows::hub::{pull, push};

/// How long a hub may take to answer before work goes on without it.
const SOON: Duration = Duration::from_secs(3);
/// The same for whoever asked for the hub itself.
const PATIENT: Duration = Duration::from_secs(20);

/// Where the hub is: what it is known by, and how to reach it.
pub(crate) struct Place {
    pub(crate) name: String,
    settings: PostgresSettings,
}

impl Place {
    /// The hub of a project; `None` where it has none.
    pub(crate) fn of(project: &Project) -> Result<Option<Self>> {
        let Some(address) = project.hub()? else {
            return Ok(None);
        };
        match address {
            Address::Postgresql(settings) => Ok(Some(Self {
                name: Address::Postgresql(settings.clone()).display(),
                settings: *settings,
            })),
            Address::Sqlite(_) => Err(Trouble::usage(
                "the hub is a file, and a hub is a PostgreSQL database: a file cannot be shared",
                format!("edit {FILE}: hub = \"env:TOLLGATE_HUB\""),
            )),
        }
    }

    /// The hub that whoever asked for it needs.
    pub(crate) fn needed(project: &Project) -> Result<Self> {
        Self::of(project)?.ok_or_else(|| {
            Trouble::usage(
                format!("{FILE} names no hub"),
                format!("edit {FILE}: hub = \"env:TOLLGATE_HUB\", above the first [[environment]]"),
            )
        })
    }

    pub(crate) fn open(&self) -> Result<Hub> {
        Ok(Hub::open(&self.settings, PATIENT)?)
    }
}

/// What goes on with the hub around a verb that acts.
pub(crate) struct Around {
    place: Option<Place>,
}

impl Around {
    /// Takes in what the hub has, where there is one that answers.
    pub(crate) fn before(output: &mut Output<'_>, project: &Project, ledger: &mut Ledger) -> Self {
        let place = match Place::of(project) {
            Ok(place) => place,
            Err(trouble) => {
                output.note(&format!("hub: {}; going on without it\n", trouble.fact));
                None
            }
        };
        let Some(place) = place else {
            return Self { place: None };
        };
        let random = std::rc::Rc::clone(&output.world.random);
        let pulled = Hub::open(&place.settings, SOON)
            .map_err(Trouble::from)
            .and_then(|mut hub| {
                if !hub.is_prepared()? {
                    return Ok(None);
                }
                Ok(Some(pull(ledger, &mut hub, &place.name, random.as_ref())?))
            });
        match pulled {
            Ok(None) => {}
            Ok(Some(merged)) => {
                if !merged.new.is_empty() {
                    output.note(&super::verbs::sync::source("hub", &merged));
                }
            }
            Err(trouble) => {
                output.trouble_in_text(&trouble);
                output.note("  going on without the hub\n");
                return Self { place: None };
            }
        }
        Self { place: Some(place) }
    }

    /// Adds what is new here.
    pub(crate) fn after(self, output: &mut Output<'_>, ledger: &mut Ledger) {
        let Some(place) = self.place else { return };
        let pushed = Hub::open(&place.settings, SOON)
            .map_err(Trouble::from)
            .and_then(|mut hub| Ok(push(ledger, &mut hub, &place.name)?));
        if let Err(trouble) = pushed {
            output.trouble_in_text(&trouble);
            output.note("  what was done stands; tollgate push tells the hub later\n");
        }
    }
}
