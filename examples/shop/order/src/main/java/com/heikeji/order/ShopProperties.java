package com.heikeji.order;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/** What every service of the shop is told about where and what it is. */
@ConfigurationProperties("shop")
public record ShopProperties(
        String environment, String banner, String version, String commit, String instance, Shutdown shutdown) {

    /** Serve on for {@code drainSeconds} after SIGTERM, then let running requests end within {@code graceSeconds}. */
    public record Shutdown(@DefaultValue("3") int drainSeconds, @DefaultValue("15") int graceSeconds) {
        public Shutdown {
            if (drainSeconds < 0 || drainSeconds > graceSeconds) {
                throw new IllegalArgumentException(
                        "shop.shutdown.drain-seconds must be from 0 to shop.shutdown.grace-seconds (" + graceSeconds + ")");
            }
        }
    }
}
