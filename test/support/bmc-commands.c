/*
 * Vendor commands for OpenIPMI's simulator (loadlib in its configuration): fan control as Dell's and Supermicro's
 * controllers have it, and DCMI's power reading. The declarations are those of OpenIPMI/msg.h and OpenIPMI/mcserv.h,
 * version 2.0.33, so that a compiler alone is enough to build it.
 */
typedef struct {
  void *src_addr;
  int src_len;
  long oem_data;
  unsigned char channel;
  void *orig_channel;
  unsigned char authtype;
  unsigned int seq, sid;
  union {
    struct {
      unsigned char *authcode;
      unsigned char authcode_data[16];
    } rmcp;
    struct {
      unsigned char payload, encrypted, authenticated, iana[3];
      unsigned short payload_id;
      unsigned char *authdata;
      unsigned int authdata_len;
    } rmcpp;
  } session;
  unsigned char netfn, rs_addr, rs_lun, rq_addr, rq_lun, rq_seq, cmd;
  unsigned char *data;
  unsigned int len;
} msg_t;
typedef void (*handler_t)(void *mc, msg_t *msg, unsigned char *answer, unsigned int *answer_len, void *data);
int ipmi_emu_register_cmd_handler(unsigned char netfn, unsigned char cmd, handler_t handler, void *data);
void ipmi_emu_register_group_extension_handler(unsigned char extension, handler_t handler, void *data);

enum { OK = 0x00, INVALID_DATA = 0xcc, STUCK_DUTY = 77 };
static unsigned char dell_automatic = 1, dell_duty = 30;
static unsigned char supermicro_mode = 0, supermicro_duty[2] = {30, 30};

/* 01 <automatic>; 02 ff <duty>; and, which no real one has, ff: tells both. */
static void dell(void *mc, msg_t *msg, unsigned char *answer, unsigned int *len, void *data) {
  const unsigned char *d = msg->data;
  answer[0] = OK;
  *len = 1;
  if (msg->len == 2 && d[0] == 1) dell_automatic = d[1];
  else if (msg->len == 3 && d[0] == 2 && d[2] != STUCK_DUTY && !dell_automatic) dell_duty = d[2];
  else if (msg->len == 1 && d[0] == 0xff) {
    answer[1] = dell_automatic;
    answer[2] = dell_duty;
    *len = 3;
  } else answer[0] = INVALID_DATA;
}

/* 00: tells the mode; 01 <mode>: sets it; in mode 1 (full speed) the controller leaves the fans alone. */
static void supermicro_fan_mode(void *mc, msg_t *msg, unsigned char *answer, unsigned int *len, void *data) {
  const unsigned char *d = msg->data;
  answer[0] = OK;
  *len = 1;
  if (msg->len == 1 && d[0] == 0) {
    answer[1] = supermicro_mode;
    *len = 2;
  } else if (msg->len == 2 && d[0] == 1) {
    supermicro_mode = d[1];
    if (d[1] == 1) supermicro_duty[0] = supermicro_duty[1] = 100;
  } else answer[0] = INVALID_DATA;
}

/* 66 00 <zone>: tells the duty; 66 01 <zone> <duty>: sets it. */
static void supermicro_fan_duty(void *mc, msg_t *msg, unsigned char *answer, unsigned int *len, void *data) {
  const unsigned char *d = msg->data;
  answer[0] = OK;
  *len = 1;
  if (msg->len == 3 && d[0] == 0x66 && d[1] == 0 && d[2] < 2) {
    answer[1] = supermicro_duty[d[2]];
    *len = 2;
  } else if (msg->len == 4 && d[0] == 0x66 && d[1] == 1 && d[2] < 2) supermicro_duty[d[2]] = d[3];
  else answer[0] = INVALID_DATA;
}

/* The chassis draws 10 W for each percent of Dell's duty cycle. */
static void dcmi_power(void *mc, msg_t *msg, unsigned char *answer, unsigned int *len, void *data) {
  const unsigned int power_w = 10u * dell_duty;
  for (unsigned int i = 0; i < 19; i++) answer[i] = 0;
  answer[1] = 0xdc;
  answer[2] = power_w & 0xff;
  answer[3] = power_w >> 8;
  answer[18] = 0x40;
  *len = 19;
}

int ipmi_sim_module_print_version(void *sys, char *options) { return 0; }
int ipmi_sim_module_init(void *sys, const char *options) {
  ipmi_emu_register_cmd_handler(0x30, 0x30, dell, 0);
  ipmi_emu_register_cmd_handler(0x30, 0x45, supermicro_fan_mode, 0);
  ipmi_emu_register_cmd_handler(0x30, 0x70, supermicro_fan_duty, 0);
  ipmi_emu_register_group_extension_handler(0xdc, dcmi_power, 0);
  return 0;
}
