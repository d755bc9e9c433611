package com.heikeji.order.operation;

import static org.assertj.core.api.Assertions.assertThat;

import com.heikeji.order.ShopProperties;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OperationTest {

    private static ShopProperties shop(int drainSeconds) {
        return new ShopProperties("unit", "UNIT", "1.0.0", "c0ffee", "order-1", new ShopProperties.Shutdown(drainSeconds, 15));
    }

    @Test
    void drainingTakesItsTimeAndIsTheFirstThingOnTheWayDown() throws InterruptedException {
        Draining draining = new Draining(shop(1));
        draining.start();
        CountDownLatch done = new CountDownLatch(1);
        long start = System.nanoTime();

        draining.stop(done::countDown);

        assertThat(draining.isRunning()).isTrue();
        assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(950));
        assertThat(draining.isRunning()).isFalse();
        assertThat(draining.getPhase()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void probesAreNotMeasured() {
        assertThat(OperationConfiguration.isProbe("/actuator/health/readiness")).isTrue();
        assertThat(OperationConfiguration.isProbe("/version")).isTrue();
        assertThat(OperationConfiguration.isProbe("/api/orders")).isFalse();
    }

    @Test
    void theMetricsSayWhichBuildAnswers() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        new OperationConfiguration().buildInfo(shop(0)).bindTo(registry);
        assertThat(registry.get("shop.build.info").tag("commit", "c0ffee").tag("environment", "unit").gauge().value())
                .isEqualTo(1);
    }
}
