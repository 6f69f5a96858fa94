/* softexchange: a small telephone exchange for tests.
 * Every line is either
 *   - a T.31 class 1 soft modem on a pty (for HylaFAX faxgetty/faxsend), or
 *   - a T.30 fax terminal ("a doctor's fax machine") that stores what it receives, or sends a TIFF on command.
 * PCM audio (8 kHz, 16 bit) is really exchanged, optionally with noise, level loss and drop-outs.
 * usage: softexchange [-x speed] [-n noise_dBm0] [-c ctlfifo] -m NUMBER:/path/to/tty ... -t NUMBER:/path/rxdir ...
 * Dialled numbers are matched on their last 7..10 digits; special endings when no line matches:
 *   ...0001 busy  ...0002 rings, no answer  ...0003 no dial tone  ...0004 answered by silence (voice)  ...0005 line dropped after 25 s
 * commands through the pipe of -c, one a line:
 *   send FROM TO FILE.tif   a terminal faxes a TIFF     noise DBM0   noise on every line; 0 = none
 *   cut NUMBER PAGES        the call in which this terminal has so many pages is cut 3 s later, once
 *   speed FACTOR            1 = real time               drop NUMBER  the call of this line is cut now
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <pty.h>
#include <termios.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <tiffio.h>
#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <spandsp.h>

#define MAXL 8
#define N 160
enum kind { K_MODEM, K_TERM };
enum st { IDLE, DIALING, RINGING, INCALL };
typedef struct {
    enum kind kind; int id; char num[32]; char path[256];
    int master, slave, cts;
    t31_state_t *t31;
    fax_state_t *fax; char rxfile[320]; int seq; char txfile[256]; char sendto[32];
    enum st st; int peer; long t0; char dial[64];
    int want_call, want_answer, want_hangup; int drop_at; int rings; int cut_after, got;
    int16_t out[N];
} line_t;
static line_t L[MAXL]; static int nl; static double speed = 1.0;  static int noise_dbm = 0; static long tick;
static awgn_state_t *lnoise; static volatile int stop; static int verbose;

static void say(const char *fmt, ...) {
    va_list ap; struct timespec ts; clock_gettime(CLOCK_REALTIME, &ts);
    fprintf(stdout, "%ld.%03ld ", (long)ts.tv_sec, ts.tv_nsec/1000000);
    va_start(ap, fmt); vfprintf(stdout, fmt, ap); va_end(ap); fputc('\n', stdout); fflush(stdout);
}
static int at_tx(at_state_t *s, void *u, const uint8_t *b, size_t n) {
    line_t *l = u; (void)s; size_t o = 0; int spin = 0;
    while (o < n) { ssize_t r = write(l->master, b + o, n - o);
        if (r > 0) { o += r; continue; }
        if (r < 0 && errno == EAGAIN && spin++ < 200) { struct pollfd p = { l->master, POLLOUT, 0 }; poll(&p, 1, 5); continue; }
        break; }
    return (int)o;
}
static int ctl(t31_state_t *t, void *u, int op, const char *num) {
    line_t *l = u; (void)t;
    switch (op) {
    case AT_MODEM_CONTROL_CALL: snprintf(l->dial, sizeof l->dial, "%s", num ? num : ""); l->want_call = 1; break;
    case AT_MODEM_CONTROL_ANSWER: l->want_answer = 1; break;
    case AT_MODEM_CONTROL_HANGUP: case AT_MODEM_CONTROL_ONHOOK: l->want_hangup = 1; break;
    case AT_MODEM_CONTROL_CTS: l->cts = (num != NULL); break;
    default: break; }
    return 0;
}
static void digits(const char *s, char *d, size_t n) { size_t i = 0; for (; *s && i + 1 < n; s++) if (*s >= '0' && *s <= '9') d[i++] = *s; d[i] = 0; }
static int find(const char *dial) {
    char a[64], b[64]; digits(dial, a, sizeof a);
    for (int i = 0; i < nl; i++) { digits(L[i].num, b, sizeof b); size_t la = strlen(a), lb = strlen(b), k = la < lb ? la : lb;
        if (k >= 3 && !strcmp(a + la - k, b + lb - k)) return i; }
    return -1;
}
static void phase_e(t30_state_t *s, void *u, int r) {
    line_t *l = u; t30_stats_t st; t30_get_transfer_statistics(s, &st);
    const char *ident = t30_get_rx_ident(s);
    say("line %s T30 done result=%d (%s) tx=%d rx=%d rate=%d ecm=%d remote=%s file=%s", l->num, r, t30_completion_code_to_str(r), st.pages_tx, st.pages_rx, st.bit_rate, st.error_correcting_mode, ident ? ident : "", l->txfile[0] ? l->txfile : l->rxfile);
    l->txfile[0] = 0; if (l->st == INCALL) l->want_hangup = 1;
}
static int phase_d(t30_state_t *s, void *u, int r) {
    line_t *l = u; (void)s; (void)r; l->got++;
    if (l->cut_after && l->got >= l->cut_after) { l->cut_after = 0; l->drop_at = tick + 150; say("line %s is cut soon: it has %d pages", l->num, l->got); }
    return T30_ERR_OK;
}
static void term_start(line_t *l, int caller) {
    if (l->fax) { fax_free(l->fax); l->fax = NULL; }
    l->fax = fax_init(NULL, caller);
    t30_state_t *t = fax_get_t30_state(l->fax);
    t30_set_tx_ident(t, l->num); t30_set_phase_e_handler(t, phase_e, l); t30_set_phase_d_handler(t, phase_d, l); l->got = 0;
    t30_set_ecm_capability(t, TRUE); t30_set_supported_compressions(t, T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION | T30_SUPPORT_T6_COMPRESSION);
    t30_set_supported_modems(t, T30_SUPPORT_V27TER | T30_SUPPORT_V29 | T30_SUPPORT_V17);
    t30_set_supported_resolutions(t, T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_FINE_RESOLUTION | T30_SUPPORT_R8_RESOLUTION);
    t30_set_supported_image_sizes(t, T30_SUPPORT_215MM_WIDTH | T30_SUPPORT_US_LETTER_LENGTH | T30_SUPPORT_UNLIMITED_LENGTH);
    if (caller) t30_set_tx_file(t, l->txfile, -1, -1);
    else { snprintf(l->rxfile, sizeof l->rxfile, "%s/rx-%s-%ld-%d.tif", l->path, l->num, (long)time(NULL), ++l->seq); t30_set_rx_file(t, l->rxfile, -1); }
    fax_set_transmit_on_idle(l->fax, TRUE);
}
static void release(line_t *l) {
    int p = l->peer; enum st was = l->st;
    l->st = IDLE; l->peer = -1; l->drop_at = 0; l->want_hangup = 0;
    if (l->kind == K_TERM && l->fax && was == INCALL) t30_terminate(fax_get_t30_state(l->fax));
    if (p >= 0) { line_t *q = &L[p]; enum st qs = q->st; if (q->kind == K_TERM && q->fax && qs == INCALL) t30_terminate(fax_get_t30_state(q->fax)); q->st = IDLE; q->peer = -1; q->drop_at = 0;
        if (qs == INCALL && q->kind == K_MODEM) t31_call_event(q->t31, AT_CALL_EVENT_HANGUP);
        if (qs == DIALING && q->kind == K_MODEM) t31_call_event(q->t31, AT_CALL_EVENT_NO_ANSWER);
        say("call %s/%s released (%d)", l->num, q->num, was); }
}
static void connect2(line_t *caller, line_t *callee) {
    caller->st = callee->st = INCALL; caller->t0 = callee->t0 = tick;
    say("connected %s -> %s", caller->num, callee->num);
    if (caller->kind == K_MODEM) t31_call_event(caller->t31, AT_CALL_EVENT_CONNECTED); else term_start(caller, TRUE);
    if (callee->kind == K_MODEM) t31_call_event(callee->t31, AT_CALL_EVENT_ANSWERED); else term_start(callee, FALSE);
}
static void fail(line_t *l, int ev) { l->st = IDLE; l->peer = -1; if (l->kind == K_MODEM) t31_call_event(l->t31, ev); else { say("line %s call failed event=%d file=%s", l->num, ev, l->txfile); l->txfile[0] = 0; } }
static void do_call(line_t *l) {
    char d[64]; digits(l->dial, d, sizeof d); size_t n = strlen(d); const char *e = n >= 4 ? d + n - 4 : d;
    int i = find(l->dial); say("line %s dials %s -> %s", l->num, l->dial, i >= 0 ? L[i].num : "(no line)");
    l->t0 = tick;
    if (i >= 0) { line_t *q = &L[i];
        if (q == l || q->st != IDLE) { fail(l, AT_CALL_EVENT_BUSY); return; }
        l->st = DIALING; l->peer = i; q->st = RINGING; q->peer = l->id; q->t0 = tick; q->rings = 0;
        if (q->kind == K_MODEM) { at_reset_call_info(&q->t31->at_state); at_set_call_info(&q->t31->at_state, "NMBR", l->num); at_set_call_info(&q->t31->at_state, "NDID", q->num); }
        return; }
    if (!strcmp(e, "0003")) { fail(l, AT_CALL_EVENT_NO_DIALTONE); return; }
    if (!strcmp(e, "0004") || !strcmp(e, "0005")) { l->st = INCALL; l->peer = -1; if (l->kind == K_MODEM) t31_call_event(l->t31, AT_CALL_EVENT_CONNECTED); else term_start(l, TRUE); if (e[3] == '5') l->drop_at = tick + 25*50; return; }
    l->st = DIALING; l->peer = -1;   /* 0001: busy after 2 s, others: no answer after 20 s */
    l->drop_at = tick + (!strcmp(e, "0001") ? 2 : 20) * 50; 
}
static void on(int s) { (void)s; stop = 1; }
int main(int argc, char **argv) {
    int c; const char *fifo = NULL; setvbuf(stdout, NULL, _IOLBF, 0);
    while ((c = getopt(argc, argv, "x:n:c:m:t:v")) != -1) {
        if (c == 'x') speed = atof(optarg); else if (c == 'n') noise_dbm = atoi(optarg); else if (c == 'c') fifo = optarg; else if (c == 'v') verbose++;
        else if (c == 'm' || c == 't') { line_t *l = &L[nl]; char *p = strchr(optarg, ':'); if (!p) return 2; *p = 0;
            l->kind = c == 'm' ? K_MODEM : K_TERM; l->id = nl++; l->peer = -1; l->cts = 1; snprintf(l->num, sizeof l->num, "%s", optarg); snprintf(l->path, sizeof l->path, "%s", p + 1); }
        else return 2; }
    signal(SIGINT, on); signal(SIGTERM, on); signal(SIGPIPE, SIG_IGN);
    if (noise_dbm) lnoise = awgn_init_dbm0(NULL, 1234567, (float)noise_dbm);
    for (int i = 0; i < nl; i++) { line_t *l = &L[i];
        if (l->kind == K_TERM) { mkdir(l->path, 0755); continue; }
        struct termios t; char nm[128]; if (openpty(&l->master, &l->slave, nm, NULL, NULL)) { perror("openpty"); return 1; }
        tcgetattr(l->master, &t); cfmakeraw(&t); tcsetattr(l->master, TCSANOW, &t); tcsetattr(l->slave, TCSANOW, &t);
        fcntl(l->master, F_SETFL, fcntl(l->master, F_GETFL) | O_NONBLOCK);
        chmod(nm, 0660); struct passwd *w = getpwnam("uucp"); if (getuid() == 0 && w) { if (chown(nm, w->pw_uid, w->pw_gid)) perror(nm); }
        unlink(l->path); if (symlink(nm, l->path)) { perror(l->path); return 1; }
        l->t31 = t31_init(NULL, at_tx, l, ctl, l, NULL, NULL); t31_set_transmit_on_idle(l->t31, TRUE);
        if (verbose) { span_log_set_level(&l->t31->logging, SPAN_LOG_SHOW_SEVERITY | SPAN_LOG_SHOW_PROTOCOL | SPAN_LOG_SHOW_TAG | SPAN_LOG_FLOW); span_log_set_tag(&l->t31->logging, l->num); }
        say("line %s modem at %s -> %s", l->num, l->path, nm); }
    int cfd = -1; if (fifo) { unlink(fifo); mkfifo(fifo, 0600); cfd = open(fifo, O_RDWR | O_NONBLOCK); }
    struct timespec next; clock_gettime(CLOCK_MONOTONIC, &next); long step = (long)(20000000.0 / speed);
    while (!stop) {
        tick++;
        if (cfd >= 0 && tick % 10 == 0) { char b[1024]; ssize_t r = read(cfd, b, sizeof b - 1);
            if (r > 0) { b[r] = 0; char *sv, *ln = strtok_r(b, "\n", &sv); for (; ln; ln = strtok_r(NULL, "\n", &sv)) {
                char from[32], to[32], file[256]; int nd;
                if (sscanf(ln, "send %31s %31s %255s", from, to, file) == 3) { int i = find(from); if (i >= 0 && L[i].kind == K_TERM && L[i].st == IDLE) { snprintf(L[i].txfile, 256, "%s", file); snprintf(L[i].dial, 64, "%s", to); L[i].want_call = 1; } else say("cannot send from %s now", from); }
                else if (sscanf(ln, "noise %d", &nd) == 1) { if (lnoise) awgn_free(lnoise); lnoise = nd ? awgn_init_dbm0(NULL, 1234567, (float)nd) : NULL; say("noise %d dBm0", nd); }
                else if (sscanf(ln, "cut %31s %d", from, &nd) == 2) { int i = find(from); if (i >= 0) L[i].cut_after = nd; }
                else if (sscanf(ln, "speed %d", &nd) == 1 && nd > 0) { speed = nd; step = (long)(20000000.0 / speed); say("speed %d", nd); }
                else if (sscanf(ln, "drop %31s", from) == 1) { int i = find(from); if (i >= 0) release(&L[i]); } } } }
        for (int i = 0; i < nl; i++) { line_t *l = &L[i];
            if (l->kind == K_MODEM) { char b[T31_TX_BUF_LEN]; 
                for (int k = 0; k < 4; k++) { int room = T31_TX_BUF_LEN - l->t31->tx.in_bytes + l->t31->tx.out_bytes - 1; if (room > (int)sizeof b) room = sizeof b; if (!l->cts || room <= 0) break; ssize_t r = read(l->master, b, room); if (r <= 0) break; t31_at_rx(l->t31, b, (int)r); } }
            if (l->want_hangup) { l->want_hangup = 0; if (l->st != IDLE) release(l); }
            if (l->want_call) { l->want_call = 0; if (l->st == IDLE) do_call(l); }
            if (l->st == RINGING && (tick - l->t0) % 200 == 50) { l->rings++; if (l->kind == K_MODEM) t31_call_event(l->t31, AT_CALL_EVENT_ALERTING); else l->want_answer = 1;
                if (l->rings > 12) { line_t *q = &L[l->peer]; l->st = IDLE; l->peer = -1; fail(q, AT_CALL_EVENT_NO_ANSWER); } }
            if (l->want_answer) { l->want_answer = 0; if (l->st == RINGING) connect2(&L[l->peer], l); }
            if (l->drop_at && tick >= l->drop_at) { l->drop_at = 0;
                if (l->st == DIALING) { char d[64]; digits(l->dial, d, 64); fail(l, strlen(d) >= 4 && !strcmp(d + strlen(d) - 4, "0001") ? AT_CALL_EVENT_BUSY : AT_CALL_EVENT_NO_ANSWER); }
                else if (l->st == INCALL && l->peer >= 0) { say("line %s dropped", l->num); l->want_hangup = 1; }
                else if (l->st == INCALL) { say("line %s dropped", l->num); l->st = IDLE; if (l->kind == K_MODEM) t31_call_event(l->t31, AT_CALL_EVENT_HANGUP); } }
        }
        for (int i = 0; i < nl; i++) { line_t *l = &L[i]; memset(l->out, 0, sizeof l->out); if (l->st != INCALL) continue;
            int n = l->kind == K_MODEM ? t31_tx(l->t31, l->out, N) : (l->fax ? fax_tx(l->fax, l->out, N) : 0); if (n < N) memset(l->out + n, 0, (N - n) * 2); }
        for (int i = 0; i < nl; i++) { line_t *l = &L[i]; if (l->st != INCALL) continue; int16_t in[N]; 
            if (l->peer >= 0) memcpy(in, L[l->peer].out, sizeof in); else memset(in, 0, sizeof in);
            if (lnoise) for (int k = 0; k < N; k++) { int v = in[k] + awgn(lnoise); in[k] = v > 32767 ? 32767 : v < -32768 ? -32768 : v; }
            if (l->kind == K_MODEM) t31_rx(l->t31, in, N); else if (l->fax) fax_rx(l->fax, in, N); }
        next.tv_nsec += step; while (next.tv_nsec >= 1000000000L) { next.tv_nsec -= 1000000000L; next.tv_sec++; }
        struct timespec now; clock_gettime(CLOCK_MONOTONIC, &now); if (now.tv_sec > next.tv_sec + 1) next = now;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    for (int i = 0; i < nl; i++) if (L[i].kind == K_MODEM) unlink(L[i].path);
    return 0;
}
