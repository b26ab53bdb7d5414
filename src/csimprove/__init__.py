"""Measure a customer service, find out whether a pilot worked, and say so in plain words.

The way of the data, one direction only::

    tickets   an export becomes canonical tickets, masked, every rejected value with its reason
    sla       the business clock: how long, how long allowed, met / missed / undecided
    metrics   one pass: numerators and denominators per day, unit and stratum
    baseline  where are we                    pilot  did it work
    wording   every sentence, English and Chinese
    charts    every figure
    report    executed notebooks into pages
    playbook  the ordered notebooks and how they are run
    cli       the command line

Below them: ``samples`` (a seeded programme with planted truth), ``settings`` (playbook.toml),
``inference`` (intervals and team tests), ``columns`` and ``errors``. Imports point down only.
"""

__version__ = "0.1.0"
