/* ESP32-CAM (AI Thinker): frame buffer to digit to serial line. A frame of 96x96 takes 9,216 bytes of RAM, digits_read
   what README.md states. */
#include <digits.h>
#include <esp_camera.h>
#include <stdio.h>

static digits_reading reading;

void app_main(void)
{
    const camera_config_t config = {
        .pin_pwdn = 32, .pin_reset = -1, .pin_xclk = 0, .pin_sccb_sda = 26, .pin_sccb_scl = 27,
        .pin_d7 = 35, .pin_d6 = 34, .pin_d5 = 39, .pin_d4 = 36, .pin_d3 = 21, .pin_d2 = 19, .pin_d1 = 18, .pin_d0 = 5,
        .pin_vsync = 25, .pin_href = 23, .pin_pclk = 22,
        .xclk_freq_hz = 20000000, .ledc_timer = LEDC_TIMER_0, .ledc_channel = LEDC_CHANNEL_0,
        .pixel_format = PIXFORMAT_GRAYSCALE, .frame_size = FRAMESIZE_96X96, .fb_count = 1,
        .fb_location = CAMERA_FB_IN_DRAM, .grab_mode = CAMERA_GRAB_WHEN_EMPTY,
    };

    if (esp_camera_init(&config) != ESP_OK) {
        puts("no camera");
        return;
    }
    for (;;) {
        camera_fb_t *const frame = esp_camera_fb_get();
        if (!frame) continue;
        if (digits_read(frame->buf, (int)frame->width, (int)frame->height, (int)frame->width, &reading))
            printf("%s %.2f at %d,%d\n", digits_labels[reading.result.label], (double)reading.result.confidence,
                   reading.x, reading.y);
        esp_camera_fb_return(frame);
    }
}
