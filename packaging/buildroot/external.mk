include $(sort $(wildcard $(BR2_EXTERNAL_VMCORE_SAVE_PATH)/package/*/*.mk))
