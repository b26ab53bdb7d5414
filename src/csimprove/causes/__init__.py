"""Root causes that are counted: coded tickets, their shares and intervals, and how far coders agree."""

from csimprove.causes.result import NO_CAUSE, VITAL_SHARE, Association, Cause, CausesResult, Coding, Stability
from csimprove.causes.sampling import list_tickets, sample_sheet
from csimprove.causes.tally import causes
