//! The settings as they are shown: each with what holds, what holds by itself, and who said it. Nothing secret.

use serde_json::Value;

use super::resolve::Settings;
use super::table::{Change, MOUNT_KEYS, SETTINGS, VARIABLES};
use crate::domain::wire::{SettingSource, SettingView, SettingsView};

/// Stands for what is not shown.
const HIDDEN: &str = "•••";

impl Settings {
    /// Every setting.
    #[must_use]
    pub fn show(&self) -> SettingsView {
        let built_in = Self::built_in(self.database.path());
        let fixed = SETTINGS.iter().map(|setting| SettingView {
            variable: setting.variable.map(str::to_owned),
            flag: setting.flag.map(str::to_owned),
            needs_restart: setting.change != Change::AtOnce,
            changeable: self.may_change(setting.name).is_ok(),
            ..view(
                setting.name,
                (setting.value)(self),
                built_in.as_ref().map_or(Value::Null, setting.value),
                self.said.source(setting.name),
                setting.meaning,
            )
        });
        let mut settings: Vec<SettingView> = fixed.collect();
        settings.extend(self.show_mounts(built_in.as_ref()));
        settings.extend(
            self.show_list("prices", "A price of your own, before the price list.")
                .map(|setting| SettingView {
                    needs_restart: false,
                    changeable: self.may_change("prices").is_ok(),
                    ..setting
                }),
        );
        settings.extend(
            self.show_list("notify", "Who is told of alerts.")
                .map(|mut setting| {
                    hide_target(&mut setting.value);
                    setting
                }),
        );
        settings.extend(self.show_variables());
        for setting in &mut settings {
            hide(&mut setting.value);
        }
        SettingsView {
            file: self.file.as_ref().map(|file| file.display().to_string()),
            restart_needed: false,
            settings,
        }
    }

    fn show_mounts<'a>(&'a self, built_in: Option<&'a Self>) -> impl Iterator<Item = SettingView> + 'a {
        self.said.below("mounts.").map(move |(name, source, value)| {
            let key = name.rsplit('.').next().unwrap_or(name);
            let meaning = MOUNT_KEYS.iter().find(|(known, _)| *known == key);
            let default = built_in.map_or(Value::Null, |built_in| built_in.said.value(name));
            let meaning = meaning.map_or("", |(_, meaning)| meaning);
            let variable = name.strip_suffix(".upstream").map(|mount| {
                let mount = mount.strip_prefix("mounts.").unwrap_or(mount);
                super::resolve::upstream_variable(mount)
            });
            SettingView {
                variable,
                ..view(name, value.clone(), default, source.clone(), meaning)
            }
        })
    }

    /// The tables of a list, in their order.
    fn show_list<'a>(&'a self, list: &'a str, meaning: &'a str) -> impl Iterator<Item = SettingView> + 'a {
        (0..)
            .map(move |at| format!("{list}[{at}]"))
            .map_while(move |name| match self.said.value(&name) {
                Value::Null => None,
                value => Some(view(&name, value, Value::Null, self.said.source(&name), meaning)),
            })
    }

    fn show_variables(&self) -> impl Iterator<Item = SettingView> + '_ {
        VARIABLES.iter().map(|(name, meaning)| {
            let value = self.said.value(name);
            SettingView {
                variable: Some((*name).to_owned()),
                ..view(name, value, Value::Null, self.said.source(name), meaning)
            }
        })
    }
}

fn view(name: &str, value: Value, default: Value, source: SettingSource, meaning: &str) -> SettingView {
    SettingView {
        name: name.to_owned(),
        value,
        default,
        source,
        meaning: meaning.to_owned(),
        variable: None,
        flag: None,
        needs_restart: true,
        changeable: false,
        pending: false,
    }
}

/// Hides a target's secret, and of its address all but scheme and host: the rest of it is a secret, too.
fn hide_target(value: &mut Value) {
    let Some(table) = value.as_object_mut() else {
        return;
    };
    if let Some(secret) = table.get_mut("secret") {
        *secret = HIDDEN.into();
    }
    if let Some(Value::String(url)) = table.get_mut("url") {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        *url = format!("{scheme}://{host}/{HIDDEN}");
    }
}

/// Hides the user and the password that a URL may hold.
fn hide(value: &mut Value) {
    if let Value::String(text) = value
        && let Some((scheme, rest)) = text.split_once("://")
    {
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if let Some((_, host)) = authority.rsplit_once('@') {
            *text = format!("{scheme}://{HIDDEN}@{host}{path}");
        }
    }
}

#[cfg(test)]
mod tests;
