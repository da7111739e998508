// ESP32-CAM (AI Thinker): frame buffer to digit to serial line. A frame of 96x96 takes 9,216 bytes of RAM, digits_read
// what README.md states.
#include <digits.h>
#include <esp_camera.h>

static digits_reading reading;

void setup() {
  Serial.begin(115200);
  camera_config_t config = {};
  config.pin_pwdn = 32;
  config.pin_reset = -1;
  config.pin_xclk = 0;
  config.pin_sccb_sda = 26;
  config.pin_sccb_scl = 27;
  config.pin_d7 = 35;
  config.pin_d6 = 34;
  config.pin_d5 = 39;
  config.pin_d4 = 36;
  config.pin_d3 = 21;
  config.pin_d2 = 19;
  config.pin_d1 = 18;
  config.pin_d0 = 5;
  config.pin_vsync = 25;
  config.pin_href = 23;
  config.pin_pclk = 22;
  config.xclk_freq_hz = 20000000;
  config.ledc_timer = LEDC_TIMER_0;
  config.ledc_channel = LEDC_CHANNEL_0;
  config.pixel_format = PIXFORMAT_GRAYSCALE;
  config.frame_size = FRAMESIZE_96X96;
  config.fb_count = 1;
  config.fb_location = CAMERA_FB_IN_DRAM;
  if (esp_camera_init(&config) != ESP_OK) Serial.println(F("no camera"));
}

void loop() {
  camera_fb_t *frame = esp_camera_fb_get();
  if (!frame) return;
  if (digits_read(frame->buf, (int)frame->width, (int)frame->height, (int)frame->width, &reading)) {
    Serial.print(digits_labels[reading.result.label]);
    Serial.print(' ');
    Serial.println(reading.result.confidence);
  }
  esp_camera_fb_return(frame);
}
