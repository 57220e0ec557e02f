#!/usr/bin/python3
"""A small browser on WebKitGTK that keeps its profile. WebKitWebDriver starts and drives it.

The browsers that come with WebKitGTK keep everything in memory while they are driven: a till that is killed there has
lost its database, whatever it did. Needs the packages python3-gi and gir1.2-webkit2-4.1, and a DISPLAY.

  --profile DIR        where data and cache are kept
  --features A,B       features of WebKit to switch on
  --quota BYTES        how much a site may store, roughly
"""
import argparse
import os

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--profile", required=True)
parser.add_argument("--features", default="")
parser.add_argument("--quota", type=int)
options, _ = parser.parse_known_args()

quota = {}
if options.quota:
    # WebKit takes a share of the volume.
    volume = os.statvfs(options.profile)
    share = options.quota / (volume.f_blocks * volume.f_frsize)
    quota = {"origin_storage_ratio": share, "total_storage_ratio": 4 * share}
manager = WebKit2.WebsiteDataManager(
    base_data_directory=os.path.join(options.profile, "data"),
    base_cache_directory=os.path.join(options.profile, "cache"),
    **quota,
)
context = WebKit2.WebContext.new_with_website_data_manager(manager)
context.set_automation_allowed(True)
windows = set()


def open_view(*_):
    settings = WebKit2.Settings()
    wanted = set(filter(None, options.features.split(",")))
    features = WebKit2.Settings.get_all_features()
    for at in range(features.get_length()):
        feature = features.get(at)
        if feature.get_identifier() in wanted:
            settings.set_feature_enabled(feature, True)
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True, settings=settings)
    window = Gtk.Window()
    window.set_default_size(1280, 900)
    window.add(view)
    window.show_all()
    view.connect("close", lambda *_: window.destroy())
    window.connect("destroy", windows.discard)
    windows.add(window)
    return view


def started(_context, session):
    info = WebKit2.ApplicationInfo()
    info.set_name("webkit-browser")
    info.set_version(1, 0, 0)
    session.set_application_info(info)
    session.connect("create-web-view", open_view)


context.connect("automation-started", started)
Gtk.main()
