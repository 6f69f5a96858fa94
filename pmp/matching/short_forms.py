"""Which short forms go with which first names.

Pure.  BILL is short for WILLIAM, and so is WILL; but BILL and WILL may be two brothers,
and so may JOHN and JACK, since parents give JACK as a name.
"""

from collections.abc import Mapping

_LINES = """
ROBERT: BOB BOBBY ROB ROBBIE BERT
WILLIAM: BILL BILLY WILL WILLIE LIAM
RICHARD: RICK RICKY RICH DICK
JAMES: JIM JIMMY JAMIE
JOHN: JACK JOHNNY JON
MICHAEL: MIKE MICK MICKEY
THOMAS: TOM TOMMY
CHARLES: CHARLIE CHUCK
JOSEPH: JOE JOEY
CHRISTOPHER: CHRIS KIT
DANIEL: DAN DANNY
MATTHEW: MATT
ANTHONY: TONY
DONALD: DON DONNIE
STEVEN: STEPHEN STEVE
STEPHEN: STEVEN STEVE
ANDREW: ANDY DREW
KENNETH: KEN KENNY
EDWARD: ED EDDIE TED NED
RONALD: RON RONNIE
TIMOTHY: TIM
JEFFREY: JEFFERY JEFF
JEFFERY: JEFFREY JEFF
GREGORY: GREG
NICHOLAS: NICOLAS NICK
NICOLAS: NICHOLAS NICK
SAMUEL: SAM SAMMY
BENJAMIN: BEN BENNY
ALEXANDER: ALEX
PATRICK: PAT
LAWRENCE: LAURENCE LARRY
LAURENCE: LAWRENCE LARRY
GERALD: JERRY GERRY
RAYMOND: RAY
DAVID: DAVE DAVEY
FRANCIS: FRANK
FREDERICK: FRED FREDDIE
PETER: PETE
PHILIP: PHILLIP PHIL
PHILLIP: PHILIP PHIL
THEODORE: TED TEDDY THEO
ZACHARY: ZACH ZACK
NATHANIEL: NATHAN NATE
NATHAN: NATE
JONATHAN: JON
JOSHUA: JOSH
JACOB: JAKE
EUGENE: GENE
LEONARD: LEN LENNY LEO
VINCENT: VINCE
WALTER: WALT
MARGARET: PEGGY MAGGIE MEG MARGE PEG
ELIZABETH: LIZ BETH BETTY BETSY LIZZIE ELIZA LIBBY
KATHERINE: KATHRYN CATHERINE KATE KATIE KATHY CATHY KAY
KATHRYN: KATHERINE CATHERINE KATE KATIE KATHY CATHY KAY
CATHERINE: KATHERINE KATHRYN KATE KATIE KATHY CATHY KAY
JENNIFER: JEN JENNY
PATRICIA: PAT PATTY TRISH TRICIA
BARBARA: BARB
SUSAN: SUE SUSIE
DEBORAH: DEBRA DEB DEBBIE
DEBRA: DEBORAH DEB DEBBIE
JESSICA: JESS JESSIE
SANDRA: SANDY
REBECCA: BECKY BECCA
DOROTHY: DOT DOTTIE
VIRGINIA: GINNY
PAMELA: PAM
CYNTHIA: CINDY
CHRISTINE: CHRISTINA CHRIS TINA CHRISTY
CHRISTINA: CHRISTINE CHRIS TINA CHRISTY
THERESA: TERESA TERRY TESS
TERESA: THERESA TERRY TESS
JACQUELINE: JACKIE
VICTORIA: VICKI VICKY TORI
KIMBERLY: KIM
AMANDA: MANDY
JUDITH: JUDY
JANET: JAN
ANN: ANNE ANNIE
ANNE: ANN ANNIE
ABIGAIL: ABBY GAIL
GABRIELLE: GABBY
ALLISON: ALLIE
STEPHANIE: STEPH
VALERIE: VAL
ROSEMARY: ROSE ROSIE
EVELYN: EVIE
FRANCES: FRAN FRANNIE
"""
_SIBLINGS = """
ANNA CHRISTINA CHRISTINE ELEANOR ELIZA ELLEN GAIL GRETA HARRY JACK JAMIE
JANE JOAN JOHN KAREN LEO LIAM LISA MARTHA MOLLY NANCY NATHAN NORA POLLY RITA
ROSE SALLY SANDRA SARA SONIA SUZANNE
"""
NAMES_OF_THEIR_OWN = frozenset(_SIBLINGS.split())
"""What stands among the short forms, and is given to a brother or sister as well."""


def _read(lines: str) -> Mapping[str, frozenset[str]]:
    """Read “long: short short”, a line for each long form."""
    pairs = (line.split(":") for line in lines.split("\n") if line)
    return {long: frozenset(shorts.split()) for long, shorts in pairs}


SHORT_FORMS = _read(_LINES)
"""First name as compared → its short forms, and other spellings of it."""

_LONG: dict[str, set[str]] = {}
for _long, _shorts in SHORT_FORMS.items():
    for _name in {_long, *_shorts}:
        _LONG.setdefault(_name, set()).add(_long)


def is_short_for(one: str, other: str) -> bool:
    """Whether one first name, as compared, is a short form of the other: BOB, ROBERT.

    Either may be the short one.  Not so where siblings bear both: JACK, JOHN.
    """
    return any(
        short in SHORT_FORMS.get(long, ()) and short not in NAMES_OF_THEIR_OWN
        for short, long in ((one, other), (other, one))
    )


def of_one_name(one: str, other: str) -> bool:
    """Whether two first names, as compared, go back to one: BILL, WILL; JACK, JOHN."""
    return one != other and not _LONG.get(one, set()).isdisjoint(_LONG.get(other, ()))


def are_short_forms(one: str, other: str) -> bool:
    """Whether both are short forms of one name: BILL and WILL, of WILLIAM."""
    return any(
        {one, other} <= SHORT_FORMS[long] - NAMES_OF_THEIR_OWN
        for long in _LONG.get(one, ())
    )
